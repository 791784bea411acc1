import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Networks } from '../network/networks.ts';
import { writeMembers } from './log-members.ts';
import { findClientAddress, isTrusted, peerAddress } from '../request/client-address.ts';

/** The most characters of a user agent in the log. */
const MAX_USER_AGENT_CHARACTERS = 200;

/** How many values of `X-Forwarded-For` are remembered, and the longest of them. */
const MAX_CHAINS = 1_000;
const MAX_CHAIN_CHARACTERS = 200;

/** What is remembered of a connection, so that most requests on it have their text at hand. */
interface ConnectionText {
  /** The member with the address at the other end; `undefined` for a trusted proxy, behind which are many clients. */
  readonly address: string | undefined;
  /** The last user agent, as it was sent, and the member with it. */
  agent: string;
  agentMember: string;
}

/** Writes the members of a log line that say who sent a request: each begins with a comma. */
export type DescribeClient = (req: IncomingMessage) => string;

/**
 * Makes the function that writes `clientAddress` and `userAgent`. It remembers them for each connection, because
 * finding and escaping them anew would cost more than the rest of the line.
 *
 * @param trustedProxies networks whose `X-Forwarded-For` is believed; `undefined` for none
 */
export function createClientMembers(trustedProxies: Networks | undefined): DescribeClient {
  const connections = new WeakMap<Socket, ConnectionText>();
  const chains = new LRUCache<string, string>({ max: MAX_CHAINS });
  return (req) => {
    const { socket } = req;
    let text = connections.get(socket);
    if (text === undefined) {
      text = describeConnection(req, trustedProxies);
      connections.set(socket, text);
    }
    const address = text.address ?? findBehindProxy(req);
    const agent = req.headers['user-agent'];
    return agent === undefined ? address : address + agentMember(text, agent);
  };

  function findBehindProxy(req: IncomingMessage): string {
    const chain = req.headers['x-forwarded-for'];
    // Each look at the list of networks takes microseconds.
    const known = typeof chain === 'string' ? chains.get(chain) : undefined;
    if (known !== undefined) {
      return known;
    }
    const address = findClientAddress(req, trustedProxies);
    const member = addressMember(address);
    // The address of the proxy itself is that of this connection, whatever its header says.
    if (typeof chain === 'string' && chain.length <= MAX_CHAIN_CHARACTERS && address !== peerAddress(req)) {
      chains.set(chain, member);
    }
    return member;
  }
}

function describeConnection(req: IncomingMessage, trustedProxies: Networks | undefined): ConnectionText {
  const peer = peerAddress(req);
  const address = isTrusted(peer, trustedProxies) ? undefined : addressMember(peer);
  return { address, agent: '', agentMember: ',"userAgent":""' };
}

/** @param address empty where the connection ended before anybody asked for it */
function addressMember(address: string): string {
  return address === '' ? '' : writeMembers({ clientAddress: address });
}

function agentMember(text: ConnectionText, agent: string): string {
  if (agent === text.agent) {
    return text.agentMember;
  }
  const member = writeMembers({ userAgent: toPrintable(agent) });
  // A longer one would be held as a whole for as long as its connection.
  if (agent.length <= MAX_USER_AGENT_CHARACTERS) {
    text.agent = agent;
    text.agentMember = member;
  }
  return member;
}

/** A caller's text as the log takes it: short, and without characters that rule a terminal. */
function toPrintable(text: string): string {
  return text.slice(0, MAX_USER_AGENT_CHARACTERS).replaceAll(/[^\x20-\x7e]/g, '?');
}
