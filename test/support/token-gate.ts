import { request, type OutgoingHttpHeaders } from 'node:http';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { createAuthenticate } from '../../src/auth/authenticate.ts';
import { SigningKeys } from '../../src/auth/signing-keys.ts';
import { Authority } from '../../src/entra/authority.ts';
import { EntraHttpClient } from '../../src/entra/http-client.ts';
import { GatewayError } from '../../src/failures.ts';
import type { Session } from '../../src/session/session.ts';
import { SessionStore } from '../../src/session/session-store.ts';
import { Clock } from './token-clock.ts';

/** How a gate differs from the default one, which lets in the gateway's own tenant. */
export interface GateOptions {
  /** The address of Entra. */
  readonly origin: string;
  readonly tenant?: string;
  readonly clock?: Clock;
  readonly clockTolerance?: number;
  readonly maxSessions?: number;
  readonly boundTokens?: 'accept' | 'refuse';
}

/** What became of one request. */
export interface Verdict {
  readonly session?: Session;
  /** The code of the failure, or the text of an error that is none of ours. */
  readonly code?: string;
  /** What the log says of the failure. */
  readonly log?: Readonly<Record<string, unknown>> | undefined;
}

/** A server that does nothing but find out who is calling. */
export interface Gate {
  readonly clock: Clock;
  readonly keys: SigningKeys;
  readonly sessions: SessionStore;
  /** What was logged, oldest first. */
  readonly warnings: object[];
  /** How often a token was verified, seen by how often the keys were asked for one. */
  readonly verifications: () => number;
  /** Sends a request with that access token. */
  call(token: string): Promise<Omit<Verdict, 'log'>>;
  /** The same, and what the log says of a refusal. */
  explain(token: string): Promise<Verdict>;
  close(): Promise<void>;
}

/** Sends a GET with exactly these headers and waits for the end of the answer. */
export function send(origin: string, path: string, headers: OutgoingHttpHeaders): Promise<void> {
  const url = new URL(origin);
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: url.port, path, headers, agent: false }, (res) => {
      res.resume().once('end', () => resolve());
    })
      .once('error', reject)
      .end();
  });
}

/** Starts a gate that authenticates real requests against an Entra on the wire. */
export async function startGate(options: GateOptions): Promise<Gate> {
  const { origin, tenant = HOME_TENANT_ID, clock = new Clock(), clockTolerance = 60_000, maxSessions = 100 } = options;
  const http = new EntraHttpClient(2_000);
  const warnings: object[] = [];
  const log = { warn: (fields: object) => warnings.push(fields) };
  const { monotonicMs } = clock;
  const keys = new CountingKeys({ authority: new Authority(origin, tenant), http, monotonicMs, log });
  const sessions = new SessionStore(maxSessions, clock.now);
  const audiences = [GATEWAY_CLIENT_ID, `api://${GATEWAY_CLIENT_ID}`];
  const { boundTokens = 'accept' } = options;
  const rules = { audiences, tenant, clockTolerance, boundTokens };
  const authenticate = createAuthenticate({ sessions, keys, rules, now: clock.now, monotonicMs, log });
  const verdicts = new Map<string, Verdict>();
  const server = await listenOnLoopback({}, () => async (req, res) => {
    const id = String(req.headers['x-call']);
    try {
      verdicts.set(id, { session: await authenticate(req, res) });
    } catch (error) {
      verdicts.set(
        id,
        error instanceof GatewayError ? { code: error.code, log: error.facts.log } : { code: String(error) },
      );
    }
    res.end();
  });
  let calls = 0;
  async function explain(token: string): Promise<Verdict> {
    const id = String(++calls);
    await send(server.origin, '/', { authorization: `Bearer ${token}`, 'x-call': id });
    return verdicts.get(id) ?? { code: 'no verdict' };
  }
  return {
    clock,
    keys,
    sessions,
    warnings,
    verifications: () => keys.asked,
    async call(token) {
      const { log: _told, ...verdict } = await explain(token);
      return verdict;
    },
    explain,
    async close() {
      http.close();
      await server.close();
    },
  };
}

class CountingKeys extends SigningKeys {
  asked = 0;

  override find(...args: Parameters<SigningKeys['find']>): ReturnType<SigningKeys['find']> {
    this.asked += 1;
    return super.find(...args);
  }
}
