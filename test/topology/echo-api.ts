import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { verifierFor, type VerifyBearer } from '../../dev/demo-apis/verify-bearer.ts';
import type { Emulator } from '../../dev/emulator/emulator.ts';

/** How often an event of the feed comes, in milliseconds. */
const EVENT_INTERVAL_MS = 100;

/** How many events a feed has. */
export const EVENTS_OF_A_FEED = 10;

/** What the API says of a call, so that the caller can compare it with what it sent. */
export interface Echo {
  /** The object id in the token. */
  readonly caller: string;
  readonly call: string;
  readonly method: string;
  /** Of the body, SHA-256. */
  readonly digest: string;
  /** The replica that sent the call on. */
  readonly replica: string;
}

/** A call that came to the API. */
export interface Arrival {
  readonly method: string;
  readonly replica: string;
  readonly headers: IncomingMessage['headers'];
}

/** A downstream that checks the token of each call and answers with what came. */
export interface EchoApi {
  readonly origin: string;
  /** By the id of the call; more than one where it came more than once. */
  readonly arrivals: ReadonlyMap<string, readonly Arrival[]>;
  /** The answers that are held back, as those of calls with `?hold` are until `release`. */
  readonly held: readonly Echo[];
  release(): void;
  close(): Promise<void>;
}

/** Starts an API that accepts the emulator's tokens for an audience. */
export async function startEchoApi(emulator: Emulator, audience: string): Promise<EchoApi> {
  const verify = rememberTokens(verifierFor(emulator, [audience]));
  const arrivals = new Map<string, Arrival[]>();
  const held: { readonly echo: Echo; readonly release: () => void }[] = [];
  const server = createServer((req, res) => {
    // A caller or a replica that is gone breaks the request; the counts tell the rest.
    answer(req, res).catch(() => res.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { searchParams } = new URL(req.url ?? '', 'http://api');
    const call = searchParams.get('call') ?? '';
    const replica = String(req.headers['x-replica']);
    const { method = '', headers } = req;
    arrivals.set(call, [...(arrivals.get(call) ?? []), { method, replica, headers }]);
    const caller = await verify(headers.authorization);
    if (caller === undefined) {
      res.writeHead(401).end();
      return;
    }
    const hash = createHash('sha256');
    for await (const chunk of req) {
      hash.update(chunk as Buffer);
    }
    const echo: Echo = { caller: caller.oid, call, method, digest: hash.digest('hex'), replica };
    if (searchParams.has('hold')) {
      await new Promise<void>((resolve) => held.push({ echo, release: resolve }));
    }
    await (searchParams.has('feed') ? sendFeed(res, echo) : sendJson(res, echo));
  }

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    get held() {
      return held.map(({ echo }) => echo);
    },
    release() {
      held.splice(0).forEach(({ release }) => release());
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The load asks with the same tokens again and again, and the test is not about how fast this API is. */
function rememberTokens(verify: VerifyBearer): VerifyBearer {
  const known = new Map<string, ReturnType<VerifyBearer>>();
  return (authorization = '') => {
    const claims = known.get(authorization) ?? verify(authorization);
    known.set(authorization, claims);
    return claims;
  };
}

async function sendJson(res: ServerResponse, echo: Echo): Promise<void> {
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(echo));
}

async function sendFeed(res: ServerResponse, echo: Echo): Promise<void> {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let sent = 0; sent < EVENTS_OF_A_FEED; sent += 1) {
    res.write(`data: ${JSON.stringify(echo)}\n\n`);
    await wait(EVENT_INTERVAL_MS);
  }
  res.end();
}
