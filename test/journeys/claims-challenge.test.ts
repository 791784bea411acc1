import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { GRAPH_MFA_POLICY_ID } from '../../dev/emulator/world.ts';
import { readChallenge, readClaims, readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const world = await startGatewayWorld();
const { emulator, downstream } = world;
afterAll(() => world.close());
afterEach(() => {
  emulator.resetSwitches();
  downstream.reset();
});

const POLICY_CLAIMS = `{"access_token":{"capolids":{"essential":true,"values":["${GRAPH_MFA_POLICY_ID}"]}}}`;

/** Lets Entra refuse with these claims, as text. */
function refuseWithClaims(claims: string): void {
  emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims };
}

function callMe(token = world.token('adele')): Promise<Response> {
  return world.call('/me', { token });
}

describe('Conditional Access wants MFA before the downstream', () => {
  it('the caller gets the claims, asks Entra with them, and the new token works', async () => {
    const refused = await callMe(world.token('megan'));
    expect([refused.status, readClaims(refused)]).toEqual([401, POLICY_CLAIMS]);
    expect((await readProblem(refused)).claims).toBe(POLICY_CLAIMS);

    const accepted = await callMe(world.token('megan', { amr: ['pwd', 'mfa'] }));
    expect([accepted.status, downstream.requests.length]).toEqual([200, 1]);
  });

  it('the same token hears the same answer again without another exchange', async () => {
    const token = world.token('megan');
    await callMe(token);
    const before = emulator.exchanges.length;
    const again = await callMe(token);
    expect([again.status, readClaims(again), emulator.exchanges.length]).toEqual([401, POLICY_CLAIMS, before]);
  });

  it('the refusal of one user is not heard by another', async () => {
    await callMe(world.token('megan'));
    expect((await callMe()).status).toBe(200);
  });
});

describe('are Entra’s claims relayed byte for byte', () => {
  it.each([
    { what: 'with odd spaces', claims: '{ "access_token" : {"nbf":{"essential":true, "value":"1604106651"}}}' },
    { what: 'with other letters', claims: '{"access_token":{"x":{"value":"Zoë ≥ 7 ✓"}}}' },
    { what: 'with what base64 writes as + and /', claims: '{"access_token":{"x":{"value":"~~~???>>>ûï¾"}}}' },
    { what: 'with several members', claims: '{"id_token":{"a":null},"access_token":{"b":null}}' },
    { what: 'of the largest size', claims: `{"access_token":{"x":"${'y'.repeat(4_096 - 25)}"}}` },
  ])('$what', async ({ claims }) => {
    refuseWithClaims(claims);
    const response = await callMe();
    expect(readClaims(response)).toBe(claims);
    expect((await readProblem(response)).claims).toBe(claims);
  });

  it.each([
    { what: 'too large', claims: `{"access_token":{"x":"${'y'.repeat(4_096 - 24)}"}}` },
    { what: 'empty', claims: '' },
    { what: 'no JSON', claims: '{"access_token":' },
    { what: 'no object', claims: '["access_token"]' },
  ])('not when they are $what: then the user signs in interactively', async ({ claims }) => {
    refuseWithClaims(claims);
    const response = await callMe();
    expect([response.status, (await readProblem(response)).code, readClaims(response)]).toEqual([
      401,
      'interaction_required',
      undefined,
    ]);
  });
});

describe('which clients can read the challenge', () => {
  /** The parsers that deployed clients have (peers.md 2.2), reduced to how they find `error` and `claims`. */
  const parsers: { who: string; parse: (header: string) => Record<string, string> }[] = [
    { who: 'Microsoft’s sample SPA', parse: parseAsSampleSpa },
    { who: '@azure/core-client', parse: parseAsCoreClient },
    { who: '@azure/core-rest-pipeline', parse: parseAsRestPipeline },
    { who: 'MSAL.NET', parse: parseAsMsalNet },
  ];

  // The length makes the padding of base64 two characters long, which naive parsers trip over.
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c25"}}}';
  let header: string;
  beforeAll(async () => {
    refuseWithClaims(claims);
    header = (await callMe()).headers.get('www-authenticate') ?? '';
  });

  it('the claims of this test end in two equals signs', () => {
    expect(header).toMatch(/=="$/);
  });

  it.each(parsers)('$who', ({ parse }) => {
    const found = parse(header);
    expect([found['error'], Buffer.from(found['claims'] ?? '', 'base64').toString()]).toEqual([
      'insufficient_claims',
      claims,
    ]);
  });

  it('there is one challenge, each parameter stands once, and claims come last', async () => {
    refuseWithClaims(POLICY_CLAIMS);
    const names = readChallenge(await callMe()).map(([name]) => name);
    expect(names).toEqual(['realm', 'authorization_uri', 'client_id', 'error', 'resource_metadata', 'claims']);
  });
});

function parseAsSampleSpa(header: string): Record<string, string> {
  const parts = header.slice(header.indexOf(' ') + 1).split(', ');
  return Object.fromEntries(
    parts.map((part) => {
      const [key = '', value = ''] = part.split('=');
      return [key.trim(), decodeURI(value.replaceAll(/['"]+/g, ''))];
    }),
  );
}

function parseAsCoreClient(header: string): Record<string, string> {
  const [challenge = ''] = `, ${header.trim()}`.split(', Bearer ').filter(Boolean);
  const parts = `${challenge.trim()}, `.split('", ').filter(Boolean);
  return Object.fromEntries(parts.map((part) => part.trim().split('="', 2) as [string, string]));
}

function parseAsRestPipeline(header: string): Record<string, string> {
  const challenge = /Bearer\s+((?:\w+="[^"]*",?\s*)+)/.exec(header)?.[1] ?? '';
  return Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

function parseAsMsalNet(header: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of header.slice('Bearer '.length).split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)) {
    const [name = '', ...value] = part.trim().split('=');
    if (name in found) {
      throw new Error(`${name} is there twice`);
    }
    found[name] = value.join('=').replaceAll('"', '');
  }
  return found;
}
