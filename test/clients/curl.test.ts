import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { DESKTOP_CLIENT_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { Browser, type Persona } from '../../dev/tour/browser.ts';
import { SCOPES } from '../../dev/tour/sign-in-client.ts';
import { startWorld } from '../../dev/world.ts';
import { PAYOUT } from './payout.ts';
import { MEGAN } from './signed-in.ts';

const SCRIPT = fileURLToPath(new URL('../../examples/recover/curl.sh', import.meta.url));

const world = await startWorld();
world.emulator.switches.deviceCodeInterval = 0.05;
afterAll(() => world.close());

const SEND_PAYOUT = ['--header', 'content-type: application/json', '--data', PAYOUT];

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly told: readonly string[];
}

/** Runs the script; where it shows a device code, the person enters it in a browser. */
async function run(environment: Record<string, string>, args: readonly string[], person?: Persona): Promise<Run> {
  const script = spawn('sh', [SCRIPT, ...args], { env: { PATH: process.env['PATH'], ...environment } });
  const told: string[] = [];
  const visits: Promise<string>[] = [];
  let output = '';
  script.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  createInterface({ input: script.stderr }).on('line', (line) => {
    told.push(line);
    const [, page, userCode] = /^open (\S+) and enter (\S+)$/.exec(line) ?? [];
    if (person && page !== undefined && userCode !== undefined) {
      visits.push(new Browser(world.emulator.origin).visit(page, { ...person, user_code: userCode }));
    }
  });
  const [code] = (await once(script, 'close')) as [number | null];
  await Promise.all(visits);
  return { code, output, told };
}

const CLIENT = {
  AUTHORITY: `${world.emulator.origin}/${HOME_TENANT_ID}`,
  CLIENT_ID: DESKTOP_CLIENT_ID,
  SCOPE: SCOPES.join(' '),
};

const hasCurl = spawnSync('curl', ['--version']).status === 0;

(hasCurl ? describe : describe.skip)('examples/recover/curl.sh (skipped where there is no curl)', () => {
  it('prints what the API answers', async () => {
    const TOKEN = world.emulator.issueAccessToken({ user: 'adele' });
    const { code, output, told } = await run({ TOKEN }, [`${world.gatewayUrl}/me`]);
    expect([code, told]).toEqual([0, []]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('prints the decoded claims of a challenge', async () => {
    const TOKEN = world.emulator.issueAccessToken({ user: 'adele' });
    const payout = [`${world.gatewayUrl}/payouts`, ...SEND_PAYOUT];
    const { code, told } = await run({ TOKEN }, payout);
    expect(code).toBe(1);
    expect(told).toEqual([expect.stringContaining(' {"access_token":{"acrs":{"essential":true,"value":"c1"}}}')]);
  });

  it.each([
    { what: 'MFA for Graph', args: ['/me'], answer: { displayName: 'Megan Bowen' } },
    {
      what: 'an authentication context',
      args: ['/payouts', ...SEND_PAYOUT],
      answer: { payoutId: expect.any(String) },
    },
  ])('lets the user satisfy $what with a device code and calls again', async ({ args: [path, ...options], answer }) => {
    const TOKEN = world.emulator.issueAccessToken({ user: 'megan' });
    const { code, output } = await run({ ...CLIENT, TOKEN }, [`${world.gatewayUrl}${path}`, ...options], MEGAN);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject(answer);
  });
});
