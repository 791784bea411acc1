import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import {
  answerChallenge,
  answerInTurn,
  answerPlainly,
  startDownstream,
  valuesOf,
  type ScriptedDownstream,
} from '../support/gateway-downstream.ts';
import { readDocumentedRows, toRow } from './documented-rows.ts';
import { describeWithEngines, ENGINES, startEngine, type Engine, type EngineName } from './engine.ts';
import { send } from './engine-world.ts';

/** What a client gets when the API said 401, and the service then is gone. */
const AFTER_401: Readonly<Record<EngineName, number>> = { nginx: 503, 'nginx-plain': 401, caddy: 502, haproxy: 502 };

const CALL = { line: 'GET /me', token: 'the.callers.own' };

interface Failure {
  readonly what: string;
  readonly fail: (res: ServerResponse) => void;
  /** True where engines notice it only by their patience. */
  readonly isSilence?: boolean;
  /** What engines say if not 503: Caddy passes on what it gets, and nginx has a page of its own for what is not HTTP. */
  readonly statuses: Partial<Record<EngineName, number>>;
}

/** Ways in which a service fails to say that a call may pass. */
const FAILURES: readonly Failure[] = [
  { what: 'it never answers', fail: () => undefined, isSilence: true, statuses: { caddy: 504 } },
  { what: 'it breaks the connection', fail: (res) => res.socket?.destroy(), statuses: { caddy: 502 } },
  {
    what: 'what it says is not HTTP',
    fail: (res) => res.socket?.end('garbage\r\n\r\n'),
    statuses: { caddy: 502, nginx: 500, 'nginx-plain': 500 },
  },
  {
    what: 'its answer breaks off in the head',
    fail: (res) => res.socket?.end('HTTP/1.1 200 OK\r\nAuthoriz'),
    statuses: { caddy: 502 },
  },
  { what: 'it fails', fail: (res) => res.writeHead(500).end('oops'), statuses: { caddy: 500 } },
  { what: 'it is another server', fail: (res) => res.writeHead(404).end(), statuses: { caddy: 404 } },
  {
    what: 'it is another server, which says 200 to everything',
    fail: (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>'),
    statuses: { caddy: 502, nginx: 502, 'nginx-plain': 502 },
  },
  { what: 'it does not serve this engine', fail: (res) => res.writeHead(403).end(), statuses: { caddy: 403 } },
  {
    what: 'it wants to be asked elsewhere',
    fail: (res) => res.writeHead(302, { location: '/login' }).end(),
    statuses: { caddy: 302 },
  },
];

it.each(FAILURES)('docs/engines.md says what each engine answers: $what', ({ what, statuses }) => {
  const cells = ENGINES.map((engine) => statuses[engine] ?? 503);
  expect(readDocumentedRows()).toContain(toRow([what, ...cells]));
});

describeWithEngines('when the service does not say that a call may pass', () => {
  let api: ScriptedDownstream;
  let service: Server;
  let answer: (res: ServerResponse, req: IncomingMessage) => void;
  const engines = new Map<EngineName, Engine>();
  /** Engines for a service that never answers; one that does has as long as is published, for a machine may be busy. */
  const hasty = new Map<EngineName, Engine>();
  const closed = new Map<EngineName, Engine>();

  beforeAll(async () => {
    api = await startDownstream();
    service = createServer((req, res) => answer(res, req));
    await new Promise<void>((resolve) => {
      service.listen(0, '127.0.0.1', resolve);
    });
    const { port } = service.address() as AddressInfo;
    const gone = await findFreePort();
    await Promise.all(
      ENGINES.map(async (name) => {
        engines.set(name, await startEngine(name, { service: port, api: api.port }));
        hasty.set(name, await startEngine(name, { service: port, api: api.port, patienceSeconds: 1 }));
        closed.set(name, await startEngine(name, { service: gone, api: api.port }));
      }),
    );
  });
  beforeEach(() => api.reset());
  afterAll(async () => {
    await Promise.all([...engines.values(), ...hasty.values(), ...closed.values()].map((engine) => engine.close()));
    service?.close();
    service?.closeAllConnections();
    await api?.close();
  });

  function portOf(name: EngineName, among: ReadonlyMap<EngineName, Engine> = engines): number {
    return among.get(name)?.port ?? 0;
  }

  it.each(FAILURES.flatMap((failure) => ENGINES.map((engine) => ({ ...failure, engine }))))(
    '$what: $engine keeps the door closed',
    async ({ fail, isSilence, statuses, engine }) => {
      answer = fail;
      const { status } = await send(portOf(engine, isSilence === true ? hasty : engines), CALL);
      expect([status, api.requests]).toEqual([statuses[engine] ?? 503, []]);
    },
  );

  it.each(ENGINES)(
    'nobody listens: %s says 502 or 503 in a problem document with the id of the call',
    async (engine) => {
      const { status, all } = await send(portOf(engine, closed), { ...CALL, headers: ['X-Request-Id: mine'] });
      expect([status, all('content-type'), all('x-request-id'), api.requests]).toEqual([
        engine === 'caddy' ? 502 : 503,
        ['application/problem+json'],
        ['mine'],
        [],
      ]);
    },
  );

  it.each(ENGINES)('nobody listens at server.port: %s lets no preflight pass for it', async (engine) => {
    const headers = ['Origin: https://app.contoso.com', 'Access-Control-Request-Method: GET'];
    const { status } = await send(portOf(engine), { line: 'OPTIONS /me', headers });
    expect([status, api.requests]).toEqual([engine === 'caddy' ? 502 : 503, []]);
  });

  it.each(ENGINES)('the service is gone when the API says 401: %s passes on no foreign challenge', async (engine) => {
    let asked = 0;
    answer = (res) => {
      asked += 1;
      if (asked === 1) {
        res.writeHead(200, { authorization: 'Bearer first', 'content-length': '0' }).end();
      } else {
        res.socket?.destroy();
      }
    };
    api.answer = answerChallenge('Bearer authorization_uri="https://phish.example/", claims="e30="');
    const response = await send(portOf(engine), CALL);
    expect([response.status, api.requests.length]).toEqual([AFTER_401[engine], 1]);
    expect(response.all('www-authenticate')).toEqual([]);
  });

  it.each(['nginx', 'caddy'] as const)(
    'another server says 200 when the API says 401: %s makes no second call',
    async (engine) => {
      let asked = 0;
      answer = (res) => {
        asked += 1;
        res.writeHead(200, asked === 1 ? { authorization: 'Bearer first' } : {}).end();
      };
      api.answer = answerInTurn(answerChallenge('Bearer claims="e30="'), answerPlainly);
      const response = await send(portOf(engine), CALL);
      expect([response.status, response.all('www-authenticate'), api.requests.length]).toEqual([502, [], 1]);
    },
  );

  it.each(['nginx', 'caddy'] as const)(
    'the API is gone for the second call: %s says nothing of the first',
    async (engine) => {
      let asked = 0;
      answer = (res) => {
        asked += 1;
        res.writeHead(200, { authorization: `Bearer token-${asked}`, 'content-length': '0' }).end();
      };
      const challenge = answerChallenge('Bearer authorization_uri="https://phish.example/", claims="e30="');
      api.answer = answerInTurn(challenge, (_req, res) => res.socket?.destroy());
      const response = await send(portOf(engine), CALL);
      expect([response.status, response.all('www-authenticate')]).toEqual([502, []]);
    },
  );

  it.each(ENGINES)('a token of 12 kB reaches the API through %s', async (engine) => {
    const authorization = `Bearer ${'t'.repeat(12_000)}`;
    answer = (res) => res.writeHead(200, { authorization, 'content-length': '0' }).end();
    const { status } = await send(portOf(engine), CALL);
    expect([status, valuesOf(api.last.rawHeaders, 'authorization')]).toEqual([200, [authorization]]);
  });

  it.each(ENGINES)('a call that needs no token goes on without one through %s', async (engine) => {
    const head = { 'x-envoy-auth-headers-to-remove': 'authorization', 'content-length': '0' };
    answer = (res) => res.writeHead(200, head).end();
    const { status } = await send(portOf(engine), CALL);
    expect([status, valuesOf(api.last.rawHeaders, 'authorization')]).toEqual([200, []]);
  });
});
