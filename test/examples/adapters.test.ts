import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
  type PipelinePolicy,
} from '@azure/core-rest-pipeline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthenticationHandler, Client, GraphError } from '@microsoft/microsoft-graph-client';
import express, { type Request } from 'express';
import { startGraph } from '../../dev/demo-apis/graph.ts';
import { revokeGrants } from '../../dev/emulator/account-state.ts';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import type { User } from '../../dev/emulator/world-model.ts';
import { createGraphClient, toAuthenticationProvider } from '../../examples/adapters/graph-client.ts';
import { toTokenCredential } from '../../examples/adapters/token-credential.ts';
import { startApplicationWorld, type ApplicationWorld } from '../support/application-world.ts';
import { answerChallenge, answerInTurn, answerPlainly, valuesOf } from '../support/gateway-downstream.ts';
import { readClaims, readProblem } from '../support/gateway-world.ts';

const emulator = await startEmulator();
const demoGraph = await startGraph({ emulator });
const adele = emulator.world.users.find(({ alias }) => alias === 'adele') as User;
let world: ApplicationWorld;
let url: string;

/** These clients send tokens to https only; this stands for the TLS of a real Graph. */
const HTTPS = 'https://graph.microsoft.com';

const tls: PipelinePolicy = {
  name: 'tls',
  sendRequest: (request, next) => {
    const outside = request.url;
    request.url = outside.replace(HTTPS, demoGraph.origin).replace('https:', 'http:');
    request.allowInsecureConnection = true;
    return next(request).finally(() => {
      request.url = outside;
    });
  },
};

async function callWithCredential(req: Request, name: string, path: string): Promise<unknown> {
  const pipeline = createPipelineFromOptions({});
  const credential = toTokenCredential(world.obo.downstream(req, name));
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: `${HTTPS}/.default` }), { phase: 'Sign' });
  pipeline.addPolicy(tls, { afterPhase: 'Sign' });
  const base = name === 'mail' ? `https://127.0.0.1:${world.graph.port}` : HTTPS;
  const response = await pipeline.sendRequest(
    createDefaultHttpClient(),
    createPipelineRequest({ url: `${base}/v1.0${path}` }),
  );
  if (response.status !== 200) {
    throw new Error(`the SDK gave up at ${response.status}`);
  }
  return JSON.parse(response.bodyAsText ?? '');
}

function callWithGraphClient(req: Request, name: string, path: string): Promise<unknown> {
  return createGraphClient(world.obo.downstream(req, name)).api(path).get();
}

function callWithProvider(req: Request, name: string, path: string): Promise<unknown> {
  const provider = toAuthenticationProvider(world.obo.downstream(req, name));
  const client = Client.initWithMiddleware({
    middleware: [
      new AuthenticationHandler(provider),
      {
        execute: async (context) => {
          context.response = await fetch(String(context.request).replace(HTTPS, demoGraph.origin), context.options);
        },
      },
    ],
  });
  return client.api(path).get();
}

beforeAll(async () => {
  world = await startApplicationWorld({ emulator, graph: { baseUrl: demoGraph.origin } });
  const { obo } = world;
  const app = express();
  for (const [how, callGraph] of Object.entries({ callWithCredential, callWithGraphClient, callWithProvider })) {
    app.get(`/${how}/:name`, obo.protect(), async (req, res) => {
      res.json(await callGraph(req, req.params['name'] ?? '', '/me'));
    });
  }
  app.use(obo.answerErrors());
  app.use((error: unknown, _req: unknown, res: express.Response, _next: unknown) => {
    res.status(500).json({ graphStatus: error instanceof GraphError ? error.statusCode : undefined });
  });
  url = await world.listen(app);
});
afterAll(async () => {
  await world.close();
  await demoGraph.close();
  await emulator.close();
});
afterEach(() => {
  adele.tokensValidFrom = 0;
  emulator.exchanges.length = 0;
  world.graph.reset();
});

let serial = 0;
function call(how: string, user: string, more: Parameters<ApplicationWorld['token']>[1] = {}): Promise<Response> {
  serial += 1;
  const bearer = world.token(user, { ...more, claims: { uti: `token ${serial}`, ...more.claims } });
  return fetch(`${url}/${how}`, { headers: { authorization: `Bearer ${bearer}` } });
}

/** The grants of the caller are revoked when Entra has just given the token for Graph. */
async function callWhileRevoked(how: string): Promise<Response> {
  const stop = emulator.onRequest(({ exchange }) => exchange?.status === 200 && revokeGrants(adele));
  const response = await call(`${how}/graph`, 'adele', { claims: { iat: Math.floor(Date.now() / 1_000) - 10 } });
  stop();
  return response;
}

const ADAPTERS = [
  ['the TokenCredential of the Azure SDK', 'callWithCredential'],
  ['the client of Microsoft Graph', 'callWithGraphClient'],
  ['the AuthenticationProvider of the client of Microsoft Graph', 'callWithProvider'],
] as const;

describe.each(ADAPTERS)('%s', (_name, how) => {
  it('calls Graph as the caller', async () => {
    const people = await Promise.all(['adele', 'guest', 'adele'].map((user) => call(`${how}/graph`, user)));
    const names = await Promise.all(people.map(async (one) => ((await one.json()) as { id: string }).id));
    expect([names[0] === names[2], names[0] === names[1]]).toEqual([true, false]);
  });

  it('gives the caller the challenge when Entra wants MFA for Graph', async () => {
    const response = await call(`${how}/graph`, 'megan');
    expect([response.status, (await readProblem(response)).code]).toEqual([401, 'insufficient_claims']);
    expect(readClaims(response)).toContain('capolids');
    expect((await call(`${how}/graph`, 'megan', { amr: ['pwd', 'mfa'] })).status).toBe(200);
  });
});

describe.each(ADAPTERS.slice(0, 2))('%s, when Graph wants claims', (_name, how) => {
  it('calls again with a token that has them', async () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    const header = `Bearer realm="", error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`;
    world.graph.answer = answerInTurn(answerChallenge(header), answerPlainly);
    const response = await call(`${how}/mail`, 'adele');
    const bearers = world.graph.requests.map(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization')[0]);
    expect([response.status, new Set(bearers).size, emulator.exchanges.length]).toEqual([200, 2, 2]);
  });

  it('gives the caller the challenge when only a newer sign-in has them', async () => {
    const refused = await callWhileRevoked(how);
    expect([refused.status, (await readProblem(refused)).code]).toEqual([401, 'insufficient_claims']);
    expect(readClaims(refused)).toContain('nbf');
  });
});

it('with the AuthenticationProvider alone, what Graph wants is an error of its client', async () => {
  const response = await callWhileRevoked('callWithProvider');
  expect(await response.json()).toEqual({ graphStatus: 401 });
});
