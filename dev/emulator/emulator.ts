import type { KeyObject } from 'node:crypto';
import type { Express, RequestHandler } from 'express';
import { listenOnLoopback, type ListenOptions } from '../loopback-server.ts';
import { TrafficLog } from '../traffic-log.ts';
import { createQuietApp } from '../quiet-app.ts';
import { authorizeEndpoint } from './authorize-endpoint.ts';
import { consentEndpoints } from './consent-endpoints.ts';
import { controlEndpoints } from './control-endpoints.ts';
import { revokeGrants } from './account-state.ts';
import { deviceEndpoints } from './device-endpoints.ts';
import type { Directory } from './directory.ts';
import { discoveryEndpoints } from './discovery-endpoints.ts';
import type { Exchange } from './exchange.ts';
import { readCorrelationId, receiveForms } from './form.ts';
import { GrantStore } from './grant-store.ts';
import type { NextStep } from './interaction.ts';
import { issueAccessToken, type AccessTokenOrder } from './issue-access-token.ts';
import { nativeAuthEndpoints } from './native-auth/native-auth-endpoints.ts';
import { SigningKeys, type TokenHeader } from './signing-keys.ts';
import { defaultSwitches, type Switches } from './switches.ts';
import { tokenEndpoint } from './token-endpoint.ts';
import { findUser, type World } from './world-model.ts';
import { demoWorld } from './world.ts';

/** How to start an emulator. */
export interface EmulatorOptions extends ListenOptions {
  /** Default: a fresh copy of the demo world. */
  readonly world?: World;
}

/** One HTTP request that the emulator dealt with. */
export interface EntraRequest {
  /** When it arrived, milliseconds since 1970. */
  readonly startedAt: number;
  readonly method: string;
  /** Path without its query. */
  readonly path: string;
  /** 0 when no answer was sent. */
  readonly status: number;
  /** Milliseconds from arrival to the end of the answer. */
  readonly ms: number;
  readonly userAgent: string | undefined;
  /** `client-request-id`, by which its sender knows it again. */
  readonly correlationId: string | undefined;
  /** At the authorization endpoint, what comes next for the person; `done` brings a code. */
  readonly step: NextStep['page'] | undefined;
  /** At the authorization endpoint and in native authentication, the refusal: the AADSTS number and the OAuth error. */
  readonly refusal: string | undefined;
  /** Its entry in `exchanges`, for the token endpoint. */
  readonly exchange: Exchange | undefined;
}

/** A Microsoft Entra that runs on loopback over http. */
export interface Emulator {
  /** `http://localhost:{port}`; issuers and addresses begin with it. */
  readonly origin: string;
  /** Users, apps, consents and policies; changes take effect at once. */
  readonly world: World;
  /** Failures to provoke; changes take effect at once. */
  readonly switches: Switches;
  /** Every request at the token endpoint, oldest first. */
  readonly exchanges: Exchange[];
  /** Every HTTP request, oldest first. */
  readonly requests: EntraRequest[];
  /** Calls the listener for each further request; the answer ends that. */
  onRequest(listener: (request: EntraRequest) => void): () => void;
  /** Puts all switches back to rest. */
  resetSwitches(): void;
  /** Signs with a new key from now on; the old ones stay published unless `keepOld` is false. */
  rollKeys(options?: { keepOld?: boolean }): Promise<void>;
  /** The ids of the published keys, newest first. */
  publishedKeyIds(): string[];
  /** Signs any payload; the header's defaults are those of a good token, the key's that of the emulator. */
  signToken(payload: object, header?: TokenHeader, key?: KeyObject): string;
  /** An access token as Entra would issue it, without the sign-in. */
  issueAccessToken(order: AccessTokenOrder): string;
  /** Ends all grants of a person, named by alias or object id. */
  revokeUser(user: string): void;
  /** Stops it. */
  close(): Promise<void>;
}

/** Starts an emulator; several can run side by side. */
export async function startEmulator({ world = demoWorld(), ...listen }: EmulatorOptions = {}): Promise<Emulator> {
  const keys = await SigningKeys.create();
  const traffic = new TrafficLog<EntraRequest>();
  const exchanges: Exchange[] = [];
  const memory = { grants: new GrantStore(), continuations: new Map(), sentCodes: [] };
  const shared = { world, switches: defaultSwitches(), keys, ...memory };
  const server = await listenOnLoopback(listen, (origin) => buildApp({ ...shared, origin }, exchanges, traffic));
  const directory: Directory = { ...shared, origin: server.origin };
  return {
    origin: server.origin,
    world,
    switches: shared.switches,
    exchanges,
    requests: traffic.requests,
    onRequest: (listener) => traffic.onRequest(listener),
    resetSwitches: () => {
      Object.assign(shared.switches, defaultSwitches());
    },
    rollKeys: (options) => keys.roll(options),
    publishedKeyIds: () => keys.publishedIds(),
    signToken: (payload, header, key) => keys.sign(payload, header, key),
    issueAccessToken: (order) => issueAccessToken(directory, order),
    revokeUser: (name) => {
      const user = findUser(world, name);
      if (!user) {
        throw new Error(`Nobody is called ${name}.`);
      }
      revokeGrants(user);
    },
    close: () => server.close(),
  };
}

function buildApp(directory: Directory, exchanges: Exchange[], traffic: TrafficLog<EntraRequest>): Express {
  const app = createQuietApp();
  app.disable('etag');
  app.use(
    noteRequests(traffic),
    receiveForms(),
    nativeAuthEndpoints(directory),
    allowPages,
    controlEndpoints(directory),
    discoveryEndpoints(directory),
    tokenEndpoint(directory, exchanges),
    deviceEndpoints(directory),
    authorizeEndpoint(directory),
    consentEndpoints(directory),
  );
  return app;
}

function noteRequests(traffic: TrafficLog<EntraRequest>): RequestHandler {
  return (req, res, next) => {
    const startedAt = Date.now();
    const start = performance.now();
    res.on('close', () => {
      traffic.add({
        startedAt,
        method: req.method,
        path: req.originalUrl.split('?')[0] ?? '',
        status: res.headersSent ? res.statusCode : 0,
        ms: performance.now() - start,
        userAgent: req.get('user-agent'),
        correlationId: readCorrelationId(req),
        step: res.locals['step'] as EntraRequest['step'],
        refusal: res.locals['refusal'] as string | undefined,
        exchange: res.locals['exchange'] as Exchange | undefined,
      });
    });
    next();
  };
}

/** Pages of other origins may call the token endpoint; whether they get a token is decided there. */
const allowPages: RequestHandler = (req, res, next) => {
  const origin = req.get('origin');
  if (origin !== undefined) {
    res.set({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin', 'Access-Control-Expose-Headers': '*' });
  }
  if (req.method !== 'OPTIONS') {
    next();
    return;
  }
  res.set('Access-Control-Allow-Methods', 'GET, POST, PUT, OPTIONS');
  res.set('Access-Control-Allow-Headers', req.get('access-control-request-headers') ?? '');
  res.set('Access-Control-Max-Age', '86400');
  res.sendStatus(204);
};
