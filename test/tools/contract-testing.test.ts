import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { GRAPH_MFA_POLICY_ID } from '../../dev/emulator/world.ts';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { describeWithTools, openTrial, readCommands, type Outcome, type Trial } from './trial.ts';

jest.setTimeout(240_000);

/** The packages that a manifest names, each with its version. */
function readPackages(manifest: string): string[] {
  const { devDependencies } = JSON.parse(readFileSync(new URL(manifest, import.meta.url), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  return Object.entries(devDependencies).map(([name, version]) => `${name}@${version}`);
}

it('docs/contract-testing.md installs what is run here', () => {
  const [install = ''] = readCommands('Prepare');
  const named = install.match(/\S+@\d\S*/g);
  const [redocly] = readPackages('../../package.json').filter((name) => name.startsWith('@redocly/cli@'));
  const tools = readPackages('package.json').filter((name) => !name.startsWith('@modelcontextprotocol/'));
  expect(named).toEqual([redocly, ...tools]);
});

describeWithTools('the commands of docs/contract-testing.md', () => {
  let world: DemoWorld;
  let trial: Trial;
  beforeAll(async () => {
    world = await startWorld();
    trial = await openTrial(world);
  });
  afterEach(() => {
    world.graph.resetTrouble();
    setPolicy(true);
  });
  afterAll(async () => {
    await world.close();
    await trial.remove();
  });

  function setPolicy(enabled: boolean): void {
    for (const policy of world.emulator.world.policies.filter(({ id }) => id === GRAPH_MFA_POLICY_ID)) {
      policy.enabled = enabled;
    }
  }

  describe('Redocly Respect', () => {
    const [play = ''] = readCommands('Redocly Respect');

    it('plays every story', async () => {
      const { code, output } = await trial.run(play);
      expect(output).toContain('Workflows: 6 passed, 6 total');
      expect(code).toBe(0);
    });

    it('fails when no challenge comes', async () => {
      setPolicy(false);
      const { code, output } = await trial.run(play);
      expect(output).toContain('Workflows: 5 passed, 1 failed, 6 total');
      expect(output).toContain('✗ success criteria check - $statusCode == 401');
      expect(code).toBe(1);
    });
  });

  describe('newman', () => {
    const [run = ''] = readCommands('newman');

    it('gets a success from every operation that ends', async () => {
      const { code, output } = await trial.run(run);
      expect(output.match(/✓ {2}is answered \d+/g)).toHaveLength(12);
      expect(code).toBe(0);
    });

    it('fails for a status that is none', async () => {
      const { code, output } = await trial.run(run.replace('&acrs=c1', ''));
      expect(output).toMatch(/POST \S+\/payouts \[401 Unauthorized/);
      expect(output.match(/✓ {2}is answered \d+/g)).toHaveLength(11);
      expect(code).toBe(1);
    });
  });

  describe('Prism', () => {
    const [proxy = '', call = '', play = ''] = readCommands('Prism');
    let stop: (() => Promise<void>) | undefined;
    beforeAll(async () => {
      stop = await trial.start(proxy, 'Prism is listening');
    });
    afterAll(() => stop?.());

    /** The head and the body of an answer that comes through the proxy. */
    const readAnswer = (user: string, target: string): Promise<Outcome> =>
      trial.run(call.replace('-sf', '-si').replace('adele', user).replace('/me', target));

    it('passes what is right', async () => {
      const { code, output } = await trial.run(call);
      expect(JSON.parse(output)).toMatchObject({ displayName: 'Adele Vance' });
      expect(code).toBe(0);
    });

    it('finds nothing wrong in the stories', async () => {
      const { code, output } = await trial.run(play);
      expect(output).toContain('Workflows: 4 passed, 4 total');
      expect(code).toBe(0);
    });

    it('passes a challenge as the gateway wrote it', async () => {
      const { output } = await readAnswer('megan', '/me');
      expect(output).toMatch(/^HTTP\/1.1 401 /);
      expect(output).toMatch(/www-authenticate: Bearer realm="", .*error="insufficient_claims", .*claims="\w+=*"/);
    });

    it('tells of an answer that breaks the contract', async () => {
      world.graph.trouble.status = 200;
      const { output } = await readAnswer('adele', '/me');
      expect(output).toMatch(/^HTTP\/1.1 500 /);
      expect(output).toContain("Response body must have required property 'displayName'");
    });

    it('keeps a request away that breaks the contract', async () => {
      const seen = world.orders.requests.length;
      const { output } = await readAnswer('adele', '/orders?limit=1000');
      expect(output).toMatch(/^HTTP\/1.1 422 /);
      expect(world.orders.requests).toHaveLength(seen);
    });
  });

  describe('openapi-typescript and openapi-fetch', () => {
    const [build = ''] = readCommands('openapi-typescript and openapi-fetch');

    it('make a client that reads the problem with its claims', async () => {
      const { code, output } = await trial.run(build);
      expect(output).toContain('problem 401 insufficient_claims {"access_token":{"acrs":');
      expect(code).toBe(0);
    });

    it('make a client that pays out', async () => {
      const [call = ''] = build.split('\n').filter((line) => line.startsWith('GATEWAY_URL='));
      const { output } = await trial.run(call.replace('user=megan', "'user=megan&acrs=c1'"));
      expect(output).toMatch(/^payout [\da-f-]{36}$/m);
    });

    it('refuse a wrong path, and a wrong member of a body, an answer and a problem', async () => {
      const file = join(trial.folder, 'examples/openapi-fetch/client.mts');
      const source = await readFile(file, 'utf8');
      const wrong = source
        .replace("'/orders'", "'/order'")
        .replace('amount: 12.5', "amount: '12.5'")
        .replace('data.payoutId', 'data.payout')
        .replace('claims }: Problem', 'claims, proof }: Problem');
      await writeFile(file, wrong);
      const { code, output } = await trial.run(build);
      await writeFile(file, source);
      expect(output).toContain(`'"/order"' is not assignable`);
      expect(output).toContain("Type 'string' is not assignable to type 'number'");
      expect(output).toContain("Property 'payout' does not exist");
      expect(output).toContain("Property 'proof' does not exist");
      expect(code).toBe(2);
    });
  });

  describe('Spectral', () => {
    const [lint = ''] = readCommands('Spectral');

    it('finds nothing in what is published', async () => {
      expect(await trial.run(lint)).toEqual({ code: 0, output: expect.stringContaining('No results') });
    });

    it('finds what breaks a rule', async () => {
      const published = await (await fetch(`${world.gatewayUrl}/openapi.json`)).text();
      const changed = published
        .replaceAll('WWW-Authenticate', 'X-Authenticate')
        .replaceAll('application/problem+json', 'application/json')
        .replace('"operationId"', '"x-downstream":{},"operationId"')
        .replace('getProfile', 'getStatus');
      await writeFile(join(trial.folder, 'broken.json'), changed);
      const { code, output } = await trial.run(lint.replace('openapi.json', 'broken.json'));
      const rules = [...output.matchAll(/^ *\d+:\d+ +\w+ +(\S+)/gm)].map(([, rule]) => rule);
      const broken = ['challenge-on-every-401', 'no-keys-of-the-gateway', 'operation-operationId-unique'];
      expect(new Set(rules)).toEqual(new Set([...broken, 'problem-for-every-refusal']));
      expect(code).toBe(1);
    });
  });
});
