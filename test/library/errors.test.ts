import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inspect } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import express, { type Express, type NextFunction, type Request, type Response as ExpressResponse } from 'express';
import { Passport } from 'passport';
import { EXPRESS, keepLines, startApplicationWorld, type LoggedLine } from '../support/application-world.ts';
import { answerChallenge } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { readChallenge, readClaims, readProblem, startGatewayWorld } from '../support/gateway-world.ts';
import { createObo, OboError, OboUsageError, type Protection } from '../../src/index.ts';

const world = await startApplicationWorld();
const { obo, emulator, graph } = world;
afterAll(() => world.close());
afterEach(() => {
  emulator.resetSwitches();
  graph.reset();
});

const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
const demanding = answerChallenge(`Bearer claims="${Buffer.from(CLAIMS).toString('base64')}"`);

let serial = 0;
function token(user = 'adele', of = world): string {
  serial += 1;
  return of.token(user, { claims: { uti: `token ${serial}` } });
}

function call(url: string, bearer = token()): Promise<Response> {
  return fetch(url, { headers: { authorization: `Bearer ${bearer}` } });
}

/** The line about the request with this id that failed. */
function failureOf(requestId: string): LoggedLine | undefined {
  return world.lines.find(({ fields }) => fields['requestId'] === requestId && fields['code'] !== undefined);
}

/** What the application was told to add. */
function listReminders(): readonly LoggedLine[] {
  return world.lines.filter(({ level, fields }) => level === 'warn' && 'remedy' in fields);
}

/** What a handler throws that calls a downstream which wants claims. */
async function refusal(req: Request): Promise<never> {
  graph.answer = demanding;
  await obo.downstream(req, 'graph').get('/me');
  throw new Error('it was not refused');
}

/** Starts an application whose handler does this. */
async function startHandler(
  handler: (req: Request, res: ExpressResponse, next: NextFunction) => unknown,
  { express: create = express, isAnswered = true }: { express?: () => Express; isAnswered?: boolean } = {},
): Promise<string> {
  const app = create();
  app.set('env', 'test');
  serial += 1;
  // A name of its own, or the challenges of all tests would count as one loop.
  app.get('/', obo.protect({ name: `handler ${serial}` }), async (req, res, next) => {
    try {
      await handler(req, res, next);
    } catch (error) {
      next(error);
    }
  });
  if (isAnswered) {
    app.use(obo.answerErrors());
  }
  app.use((error: Error & { status?: number }, _req: Request, res: ExpressResponse, next: NextFunction) => {
    if (isAnswered) {
      res.status(500).json({ passed: error.message });
    } else {
      next(error);
    }
  });
  return world.listen(app);
}

describe('a handler that throws', () => {
  it.each<[what: string, handler: (req: Request) => unknown]>([
    ['the error itself', refusal],
    [
      'an error that it causes',
      (req) => refusal(req).catch((cause: unknown) => Promise.reject(new Error('failed', { cause }))),
    ],
    [
      'an error of an error',
      (req) =>
        refusal(req).catch((cause: unknown) => Promise.reject(new Error('a', { cause: new Error('b', { cause }) }))),
    ],
    [
      'an error with its stack, as some SDKs make one',
      (req) => refusal(req).catch(({ stack }: Error) => Promise.reject(Object.assign(new Error('sdk'), { stack }))),
    ],
    [
      'an error whose stack goes on with its own',
      (req) =>
        refusal(req).catch(({ stack }: Error) =>
          Promise.reject(Object.assign(new Error('nested'), { stack: `nested\nCaused by: ${stack}` })),
        ),
    ],
    ['one of several', (req) => Promise.any([Promise.reject(new Error('first')), refusal(req)])],
    [
      'what the end of a `using` block throws after it',
      (req) =>
        refusal(req).catch((suppressed: unknown) =>
          Promise.reject(Object.assign(new Error('end'), { error: new Error('of the block'), suppressed })),
        ),
    ],
    [
      'what the end of a `using` block throws after another error',
      (req) =>
        refusal(req).catch((error: unknown) =>
          Promise.reject(Object.assign(new Error('end'), { error, suppressed: new Error('in the block') })),
        ),
    ],
  ])('%s is answered with the challenge', async (_what, handler) => {
    const response = await call(await startHandler(handler));
    expect([response.status, readClaims(response), (await readProblem(response)).code]).toEqual([
      401,
      CLAIMS,
      'insufficient_claims',
    ]);
  });

  it('an error into which it wrote something of its own is answered without that', async () => {
    const url = await startHandler((req) =>
      refusal(req).catch((error: Error) => {
        error.message = `db-7 lost row 4711: ${error.message}`;
        throw error;
      }),
    );
    expect((await readProblem(await call(url))).detail).toMatch(/^Ask Entra for a new access token/);
  });

  it('the error of another request is answered as a failure of this one', async () => {
    let shared: Promise<unknown> | undefined;
    const url = await startHandler((req) => (shared ??= refusal(req)));
    const headers = { authorization: `Bearer ${token()}` };
    await fetch(url, { headers: { ...headers, 'x-request-id': 'first' } });
    const response = await fetch(url, { headers: { ...headers, 'x-request-id': 'second' } });
    expect([response.status, (await readProblem(response)).requestId]).toEqual([401, 'second']);
    expect(response.headers.get('x-request-id')).toBe('second');
    await until('the second request is logged', () => failureOf('second') !== undefined);
    expect(failureOf('second')?.fields).toMatchObject({ status: 401, code: 'insufficient_claims' });
  });

  it('anything else leaves it to the next handler', async () => {
    const circle = new Error('circle');
    circle.cause = circle;
    for (const thrown of [new Error('other'), circle, 'text']) {
      const response = await call(await startHandler(() => Promise.reject(thrown)));
      expect(response.status).toBe(500);
    }
  });

  it('gets no more of Entra’s words than a caller may see', async () => {
    let seen: OboError | undefined;
    const url = await startHandler((req) =>
      obo
        .downstream(req, 'graph')
        .authorization()
        .catch((error: unknown) => Promise.reject((seen = error as OboError))),
    );
    expect((await call(url, token('newcomer'))).status).toBe(403);
    expect(JSON.stringify([seen, Object.assign({}, seen), seen?.headers])).not.toMatch(/AADSTS|correlation/i);
    expect(seen).toMatchObject({ code: 'consent_required', scopes: ['https://graph.microsoft.com/User.Read'] });
  });

  it('does not wait for a call that goes on and on', async () => {
    const url = await startHandler(async (req) => {
      const { orders } = world;
      orders.answer = () => undefined;
      const endless = obo.downstream(req, 'orders').get('/');
      await refusal(req);
      await endless;
    });
    expect((await call(url)).status).toBe(401);
    world.orders.reset();
  });

  it('after it described another answer says nothing of that', async () => {
    const described = {
      'content-encoding': 'gzip',
      'content-language': 'de',
      'content-range': 'bytes 0-4/5',
      'content-disposition': 'attachment; filename="orders.csv"',
      'content-location': '/orders.csv',
      'last-modified': 'Mon, 30 Nov 2026 00:00:00 GMT',
      etag: '"1"',
      'transfer-encoding': 'chunked',
      trailer: 'Content-Digest',
      'content-digest': 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
    };
    const url = await startHandler(async (req, res) => {
      res.set({ ...described, 'content-type': 'text/csv', 'x-own': 'kept' });
      await refusal(req);
    });
    const response = await call(url);
    const { headers } = response;
    expect([response.status, (await readProblem(response)).claims, headers.get('x-own')]).toEqual([
      401,
      CLAIMS,
      'kept',
    ]);
    expect(Object.keys(described).filter((name) => headers.has(name))).toEqual([]);
  });

  it('is answered with 500 where middleware fails while the refusal is written', async () => {
    const url = await startHandler((req, res) => {
      const writeHead = res.writeHead.bind(res);
      res.writeHead = () => {
        res.writeHead = writeHead;
        throw new Error('of the middleware');
      };
      return refusal(req);
    });
    expect((await call(url)).status).toBe(500);
  });

  it('after the answer began breaks the connection', async () => {
    const url = await startHandler(async (req, res) => {
      res.write('begun');
      await refusal(req);
    });
    const response = await call(url);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it.each<[how: string, handler: (req: Request, res: ExpressResponse) => unknown]>([
    ['reads', async (req, res) => res.send(await (await obo.downstream(req, 'graph').fetch('/')).text())],
    ['reads with axios', async (req, res) => res.send((await obo.downstream(req, 'graph').get<string>('/')).data)],
  ])('that %s an answer which breaks off says whose fault it is', async (_how, handler) => {
    graph.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': '100' }).write('begun', () => res.destroy());
    };
    const response = await call(await startHandler(handler));
    expect([response.status, (await readProblem(response)).code]).toEqual([502, 'downstream_unreachable']);
  });

  it('after the answer ended changes nothing', async () => {
    const url = await startHandler(async (req, res) => {
      res.end('whole');
      await refusal(req);
    });
    expect(await (await call(url)).text()).toBe('whole');
  });

  it('gets errors that carry what they are about', async () => {
    let seen: OboError | undefined;
    await call(
      await startHandler((req) => refusal(req).catch((error: unknown) => Promise.reject((seen = error as OboError)))),
    );
    expect(seen).toBeInstanceOf(OboError);
    expect(seen).toMatchObject({ code: 'insufficient_claims', claims: CLAIMS, status: 401, name: 'OboError' });
    expect(seen?.headers['www-authenticate']).toContain('claims="');
    const shown = `${inspect(seen, { depth: 9 })} ${JSON.stringify(seen)} ${seen?.stack}`;
    expect(shown).not.toMatch(/eyJ[\w-]{20,}\.|demo-secret/);
    expect(JSON.stringify([seen, Object.assign({}, seen)])).not.toContain('AADSTS');
  });
});

/** The ways in which handlers pass an answer on. */
const PASSING_ON: readonly (readonly [how: string, pass: (req: Request, res: ExpressResponse) => Promise<unknown>])[] =
  [
    ['pipe', async (req, res) => (await openStream(req)).pipe(res)],
    ['pipeline', async (req, res) => pipeline(await openStream(req), res)],
    ['the pipe of a fetched body', async (req, res) => (await openBody(req)).pipe(res)],
    ['the pipeline of a fetched body', async (req, res) => pipeline(await openBody(req), res)],
  ];

async function openStream(req: Request): Promise<Readable> {
  return (await obo.downstream(req, 'graph').get<Readable>('/', { responseType: 'stream' })).data;
}

async function openBody(req: Request): Promise<Readable> {
  const { body } = await obo.downstream(req, 'graph').fetch('/');
  return Readable.fromWeb(body as NonNullable<typeof body>);
}

describe.each(PASSING_ON)('an answer that is passed on by %s', (_how, pass) => {
  it('and breaks off breaks the connection of the caller', async () => {
    graph.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': '100' }).write('begun', () => setTimeout(() => res.destroy(), 50));
    };
    await expect((await call(await startHandler(pass))).text()).rejects.toThrow('terminated');
  });

  it('ends when the caller leaves, and nothing else does', async () => {
    graph.answer = (_req, res) => {
      res.write('begun');
    };
    const controller = new AbortController();
    const headers = { authorization: `Bearer ${token()}` };
    const response = await fetch(await startHandler(pass), { headers, signal: controller.signal });
    controller.abort();
    await expect(response.text()).rejects.toThrow('aborted');
    // An error that nobody hears would end the test.
    await until('the call is cancelled', () => graph.last.aborted);
  });
});

describe('a stream that is piped into an answer', () => {
  it('and breaks off before anything came of it becomes a problem', async () => {
    graph.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': '100' }).flushHeaders();
      setTimeout(() => res.destroy(), 50);
    };
    const url = await startHandler(async (req, res) => {
      res.set({ 'content-encoding': 'br' });
      (await openStream(req)).pipe(res);
    });
    const response = await call(url);
    expect([response.status, (await readProblem(response)).code]).toEqual([502, 'downstream_unreachable']);
  });

  it('and is not of a downstream fails as it always does', async () => {
    const url = await startHandler(async (req, res) => {
      await obo.downstream(req, 'graph').fetch('/');
      const own = new PassThrough();
      own.pipe(res);
      own.emit('error', new Error('own'));
    });
    expect(await (await call(url)).json()).toEqual({ passed: 'own' });
  });
});

describe.each(Object.entries(EXPRESS))('an application on %s without answerErrors', (_version, create) => {
  it('still answers with the status and the challenge, and is told what to add', async () => {
    const url = await startHandler(refusal, { express: create, isAnswered: false });
    const response = await call(url);
    expect([response.status, readClaims(response), response.headers.get('content-type')]).toEqual([
      401,
      CLAIMS,
      'text/html; charset=utf-8',
    ]);
    await until('it is told', () => listReminders().length > 0);
    expect(listReminders().at(-1)?.fields['remedy']).toContain('app.use(obo.answerErrors())');
  });
});

describe('other frameworks', () => {
  it('node:http answers with what toProblem gives', async () => {
    const protect = obo.protect({ scopes: ['Nobody.Has'] });
    const server = createServer((req, res) => {
      protect(req, res, (error) => {
        void obo.toProblem(error, req).then((problem) => {
          res.writeHead(problem?.status ?? 500, problem?.headers).end(problem?.body);
        });
      });
    });
    const url = await world.listen(
      server.listeners('request')[0] as (req: IncomingMessage, res: ServerResponse) => void,
    );
    const response = await call(`${url}/some/path?query`);
    expect([response.status, readChallenge(response).find(([name]) => name === 'scope')]).toEqual([
      403,
      ['scope', 'Nobody.Has'],
    ]);
    expect(await readProblem(response)).toMatchObject({ code: 'insufficient_scope', instance: '/some/path' });
  });

  it('the connection ends where nobody knows what comes next on it', async () => {
    const protect = obo.protect();
    const url = await world.listen((req, res) => {
      protect(req, res, (error) => {
        void obo.toProblem(error, req).then((problem) => {
          res.writeHead(problem?.status ?? 500, problem?.headers).end(problem?.body);
        });
      });
    });
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(
        url,
        { method: 'POST', headers: { expect: '100-continue' }, agent: new Agent({ keepAlive: true }) },
        resolve,
      )
        .on('error', reject)
        .end();
    });
    answer.resume();
    expect([answer.statusCode, answer.headers.connection]).toEqual([401, 'close']);
  });

  it('what is not of the instance is none', async () => {
    expect(await obo.toProblem(new Error('other'))).toBeUndefined();
  });
});

describe('middleware that replaces writeHead', () => {
  it('finds the headers of answers where it looks for them', async () => {
    const app = express();
    app.use((_req, res, next) => {
      const writeHead = res.writeHead.bind(res) as (status: number) => ExpressResponse;
      // As older versions of on-headers do it, which take names and values in turn for pairs.
      Object.assign(res, {
        writeHead(status: number, headers?: readonly string[]) {
          headers?.forEach(([name = 'x', value = '']) => res.setHeader(name, value));
          return writeHead(status);
        },
      });
      next();
    });
    app.get('/', obo.protect(), (_req, res) => void res.end());
    app.use(obo.answerErrors());
    const response = await fetch(await world.listen(app));
    expect([response.status, (await readProblem(response)).code, readChallenge(response).length]).toEqual([
      401,
      'missing_token',
      3,
    ]);
    expect([...response.headers.keys()].filter((name) => name.length === 1)).toEqual([]);
  });
});

describe('passport', () => {
  it('lets callers in by the same rules, and sets req.user and req.obo', async () => {
    const passport = new Passport();
    passport.use(obo.strategy({ scopes: ['Orders.Read'] }) as never);
    const app = express();
    app.get('/', passport.authenticate('obo', { session: false }), (req, res) => {
      res.json({ same: (req.user as unknown) === req.obo.principal, kind: req.obo.principal.kind });
    });
    app.use(obo.answerErrors());
    const url = await world.listen(app);
    expect(await (await call(url)).json()).toEqual({ same: true, kind: 'user' });
    const refused = await fetch(url);
    expect([refused.status, (await readProblem(refused)).code]).toEqual([401, 'missing_token']);
  });
});

/** Starts an application that tells what was set on its requests. */
async function startProtected(...ways: readonly Protection[]): Promise<string> {
  const app = express();
  app.get('/', obo.protect(...ways), (req, res) => {
    const { obo: set, ...others } = req as unknown as Record<string, unknown>;
    res.json({
      set: Object.keys(set as object),
      others: Object.keys(others).filter((name) => /user|auth|login|account/i.test(name)),
    });
  });
  app.use(obo.answerErrors());
  return world.listen(app);
}

describe('protect', () => {
  it('sets req.obo and nothing else', async () => {
    expect(await (await call(await startProtected())).json()).toEqual({ set: ['principal'], others: [] });
  });

  it('knows its request again, whatever else was set on it', async () => {
    const app = express();
    app.use((req, _res, next) => {
      Object.assign(req, { raw: Buffer.from('what a body parser keeps'), obo: { principal: 'forged' } });
      next();
    });
    app.get('/', obo.protect(), async (req, res) => {
      res.json({ kind: req.obo.principal.kind, status: (await obo.downstream(req, 'graph').get<unknown>('/')).status });
    });
    app.get('/forged', (req) => void obo.downstream(req, 'graph'));
    app.use(obo.answerErrors());
    const url = await world.listen(app);
    expect(await (await call(url)).json()).toEqual({ kind: 'user', status: 200 });
    expect((await call(`${url}/forged`)).status).toBe(500);
  });

  it.each([
    { ways: [], user: 200, daemon: 200 },
    { ways: [{ scopes: ['Orders.Read', 'Profile.Read'] }], user: 200, daemon: 403 },
    { ways: [{ scopes: ['Orders.Read', 'Missing'] }], user: 403, daemon: 403 },
    { ways: [{ roles: ['Orders.Read.All'] }], user: 403, daemon: 200 },
    { ways: [{ scopes: ['Orders.Read'], roles: ['Orders.Read.All'] }], user: 200, daemon: 200 },
    { ways: [{ scopes: ['Missing'] }, { scopes: ['Orders.Read'] }], user: 200, daemon: 403 },
    { ways: [{ scopes: ['Orders.Read'], roles: [] }], user: 200, daemon: 403 },
    { ways: [{ authContext: 'c1' }], user: 401, daemon: 403 },
    { ways: [{ scopes: ['Orders.Read'], authContext: 'c1' }, { roles: ['Orders.Read.All'] }], user: 401, daemon: 200 },
    { ways: [{ scopes: ['Orders.Read'], authContext: 'c1' }, { scopes: ['Profile.Read'] }], user: 200, daemon: 403 },
    { ways: [{ scopes: ['api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Orders.Read'] }], user: 200, daemon: 403 },
  ])('$ways', async ({ ways, user, daemon }) => {
    const url = await startProtected(...(ways as readonly Protection[]));
    expect([(await call(url)).status, (await call(url, emulator.issueAccessToken({ app: 'daemon' }))).status]).toEqual([
      user,
      daemon,
    ]);
  });

  it('names what a caller of its kind lacks', async () => {
    const url = await startProtected({ scopes: ['Missing'], authContext: 'c1' }, { roles: ['Absent'] });
    const scopes = await Promise.all(
      [token(), emulator.issueAccessToken({ app: 'daemon' })].map(async (bearer) => {
        const response = await call(url, bearer);
        return readChallenge(response).find(([name]) => name === 'scope')?.[1];
      }),
    );
    expect(scopes).toEqual(['Missing', 'Absent']);
  });

  it('asks for the authentication context in Microsoft’s form', async () => {
    const response = await call(await startProtected({ authContext: 'c1' }));
    expect([readClaims(response), readChallenge(response).find(([name]) => name === 'cc_type')]).toEqual([
      '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}',
      ['cc_type', 'authcontext'],
    ]);
  });

  it('refuses a head that can be read in two ways', async () => {
    const url = await startProtected();
    const { port } = new URL(url);
    const status = await new Promise((resolve, reject) => {
      request(
        { port, headers: ['host', 'localhost', 'authorization', `Bearer ${token()}`, 'authorization', 'Bearer x'] },
        (res) => {
          res.resume();
          resolve(res.statusCode);
        },
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(400);
  });
});

describe('errors that teach', () => {
  it('a handler without protect', async () => {
    const app = express();
    app.get('/', (req) => void obo.downstream(req, 'graph'));
    app.use(
      (error: Error, _req: Request, res: ExpressResponse, _next: NextFunction) =>
        void res.json({ name: error.name, message: error.message }),
    );
    const { name, message } = (await (await fetch(await world.listen(app))).json()) as {
      name: string;
      message: string;
    };
    expect([name, message]).toEqual(['OboUsageError', expect.stringContaining("app.get('/dashboard', obo.protect(")]);
  });

  it('a downstream that is not configured', async () => {
    const response = await call(await startHandler((req) => obo.downstream(req, 'grahp')));
    expect(await response.json()).toEqual({
      passed: 'The configuration has no downstream "grahp"; did you mean "graph"? It has graph, orders, mail.',
    });
  });

  it.each<[what: string, given: readonly unknown[], says: string]>([
    ['only a name', ['graph'], 'takes the request and the name of a downstream (graph, orders, mail)'],
    ['no request', [undefined, 'graph'], 'put obo.protect() before the handler'],
    ['another object', [{}, 'graph'], 'put obo.protect() before the handler'],
  ])('downstream() with %s', (_what, given, says) => {
    const untyped = obo as unknown as { downstream(...args: readonly unknown[]): unknown };
    expect(() => untyped.downstream(...given)).toThrow(OboUsageError);
    expect(() => untyped.downstream(...given)).toThrow(says);
  });

  it.each<[given: unknown, says: string]>([
    [undefined, "createObo({ config: 'gateway.yaml' })"],
    ['gateway.yaml', "createObo({ config: 'gateway.yaml' })"],
    [{}, "createObo({ config: 'gateway.yaml' })"],
    [{ identity: {} }, 'createObo() knows no identity; it takes config, logger, env.'],
    [{ config: {}, loger: {} }, 'Did you mean logger?'],
  ])('createObo(%j)', async (given, says) => {
    const made = createObo(given as Parameters<typeof createObo>[0]);
    await expect(made).rejects.toThrow(OboUsageError);
    await expect(made).rejects.toThrow(says);
  });

  it.each<[ways: object, says: string]>([
    [{ scopes: ['https://graph.microsoft.com/User.Read'] }, 'belongs to another API (https://graph.microsoft.com)'],
    [{ scopes: 'Orders.Read' }, "scopes: ['Orders.Read']"],
    [{ scope: ['Orders.Read'] }, 'Did you mean scopes?'],
    [{ authContext: 'mfa' }, 'c1 to c99'],
    [{ roles: ['a b'] }, 'without spaces'],
    [{ scopes: ['00000003-0000-0000-c000-000000000000/User.Read'] }, 'belongs to another API (00000003-'],
    [
      { roles: ['Orders.Read.All'], authContext: 'c1' },
      "protect({ scopes: ['Orders.Read'], authContext: 'c1' }, { roles: ['Orders.Read.All'] })",
    ],
    [{ name: '' }, 'name as a text that is not empty'],
    [{ name: 7 }, 'name as a text that is not empty'],
  ])('protect(%j)', (ways, says) => {
    expect(() => obo.protect(ways)).toThrow(OboUsageError);
    expect(() => obo.protect(ways)).toThrow(says);
  });

  it('protect() with two names for one operation', () => {
    const ways = [{ scopes: ['Orders.Read'], name: 'read' }, { roles: ['Orders.Read.All'], name: 'sync' }, {}];
    expect(() => obo.protect(...ways)).toThrow('the names read and sync for one operation');
    expect(() => obo.protect(...ways.slice(0, 1), ...ways.slice(2))).not.toThrow();
  });

  it('protect() with a scope of a resource that nothing is known of is told once', () => {
    const scope = 'api://something-else/Orders.Read';
    obo.protect({ scopes: [scope] });
    obo.protect({ scopes: ['Profile.Read', scope] });
    const told = world.lines.filter(({ fields }) => fields['scope'] === scope);
    expect(told.map(({ level, fields }) => [level, fields['remedy']])).toEqual([
      ['warn', expect.stringContaining('add api://something-else to identity.audiences')],
    ]);
  });

  it('proxy() without a contract', () => {
    expect(() => obo.proxy()).toThrow('contract: found nothing; allowed: the path of the OpenAPI document');
  });

  it('a configuration is checked as the gateway checks it', async () => {
    const wrong = { identity: { tenant: 'contoso', clientid: 'x' }, downstreams: {} };
    await expect(createObo({ config: wrong, env: {} })).rejects.toThrow(
      /identity\.clientid: is not a known key; did you mean clientId\?[^]*identity\.tenant|identity\.tenant[^]*clientid/,
    );
    await expect(createObo({ config: { ...world.config }, env: {} })).rejects.toThrow(
      'the environment variable SECRET is not set',
    );
    await expect(
      createObo({ config: { ...world.config, server: { docs: true } }, env: { SECRET: 's' } }),
    ).rejects.toThrow('server.publicUrl: found nothing; allowed: the address of the application');
    await expect(createObo({ config: '/nowhere/gateway.yaml' })).rejects.toThrow('cannot be read (ENOENT)');
  });
});

describe('several instances', () => {
  it('never answer each other’s errors, nor serve each other’s requests', async () => {
    const other = await startApplicationWorld({ emulator });
    const app = express();
    app.get('/', obo.protect(), async (req) => {
      graph.answer = demanding;
      await obo.downstream(req, 'graph').get('/me');
    });
    app.get('/foreign', obo.protect(), (req) => void other.obo.downstream(req, 'graph'));
    app.use(other.obo.answerErrors());
    app.use(
      (error: Error, _req: Request, res: ExpressResponse, _next: NextFunction) =>
        void res.status(500).json({ name: error.name }),
    );
    const url = await world.listen(app);
    expect(await (await call(url)).json()).toEqual({ name: 'OboError' });
    expect(await (await call(`${url}/foreign`)).json()).toEqual({ name: 'OboUsageError' });
    await other.close();
  });

  it('of two tenants let in their own people only', async () => {
    const partner = await startApplicationWorld({
      emulator,
      identity: { tenant: 'b4c1a5d2-3f6e-4a87-9c0b-5d1e2f3a4b5c' },
    });
    const app = express();
    app.get('/home', obo.protect(), (_req, res) => void res.end());
    app.get('/partner', partner.obo.protect(), (_req, res) => void res.end());
    app.use(obo.answerErrors(), partner.obo.answerErrors());
    const url = await world.listen(app);
    const guest = world.token('guest', { tenant: 'b4c1a5d2-3f6e-4a87-9c0b-5d1e2f3a4b5c' });
    const statuses = await Promise.all([
      call(`${url}/home`),
      call(`${url}/partner`),
      call(`${url}/home`, guest),
      call(`${url}/partner`, guest),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 401, 401, 200]);
    await partner.close();
  });
});

function withoutDate({ headers }: Response): Record<string, string> {
  const { date: _date, 'keep-alive': _keepAlive, ...others } = Object.fromEntries(headers);
  return others;
}

describe('beside the gateway', () => {
  it('problems and challenges are the same, byte for byte', async () => {
    const gateway = await startGatewayWorld({ emulator });
    const publicUrl = gateway.url;
    const twin = await startApplicationWorld({ emulator, server: { publicUrl } });
    const scope = 'api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Profile.Read';
    const app = express();
    app.disable('x-powered-by');
    app.get('/me', twin.obo.protect({ scopes: [scope] }), async (req, res) => {
      res.json((await twin.obo.downstream(req, 'graph').get<unknown>('/me')).data);
    });
    app.use(twin.obo.answerErrors());
    const url = await twin.listen(app);
    const bearers = [
      '',
      'none',
      world.token('adele', { scopes: ['Orders.Read'] }),
      token('megan'),
      token('revoked'),
      token('newcomer'),
      token('blocked'),
    ];
    for (const bearer of bearers) {
      const headers = { 'x-request-id': 'same', ...(bearer !== '' && { authorization: `Bearer ${bearer}` }) };
      const [one, other] = await Promise.all([
        fetch(`${gateway.url}/me`, { headers }),
        fetch(`${url}/me`, { headers }),
      ]);
      expect([other.status, await other.text()]).toEqual([one.status, await one.text()]);
      expect(withoutDate(other)).toEqual(withoutDate(one));
    }
    await twin.close();
    await gateway.close();
  });
});

describe('the log', () => {
  it('is handed to the logger of the application, without tokens', () => {
    const text = JSON.stringify(world.lines);
    expect(text).toContain('exchange.made');
    expect(text).not.toMatch(/eyJ[\w-]{20,}\.|demo-secret/);
  });

  it('a logger that fails costs nothing', async () => {
    const lines: LoggedLine[] = [];
    const logger = keepLines(lines);
    const loud = await startApplicationWorld({
      emulator,
      logger: {
        ...logger,
        info() {
          throw new Error('the disk is full');
        },
      },
    });
    const app = express();
    app.get('/', loud.obo.protect(), (_req, res) => void res.end());
    expect((await call(await loud.listen(app))).status).toBe(200);
    await loud.close();
  });
});
