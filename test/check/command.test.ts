import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_SECRET } from '../../dev/emulator/world.ts';
import { runCommand, startCheckWorld } from './check-world.ts';

const world = await startCheckWorld();
afterEach(() => world.emulator.resetSwitches());
afterAll(() => world.close());

describe('obo-gateway check', () => {
  it('ends well where nothing fails, whatever it warns of', async () => {
    const { code, out, errors } = await world.check();
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    expect(out.at(-1)).toMatch(/^\d+ ok, [1-9]\d* warnings, 0 failures$/);
  });

  it('ends with 1 where something fails, and says why and what to do', async () => {
    const { code, out } = await world.check({ identity: { credential: { secret: 'not-it' } } });
    expect(code).toBe(1);
    expect(out.at(-1)).toMatch(/, 1 failures$/);
    const at = out.findIndex((line) => line.startsWith('fail'));
    expect(out.slice(at, at + 3)).toEqual([
      expect.stringMatching(/^fail {2}Entra: credential +refused in tenant .*: AADSTS7000215 \(invalid_client\)$/),
      expect.stringMatching(/^ {6}reason: the client secret is wrong/),
      expect.stringMatching(/^ {6}remedy: identity\.credential\.secret: use the value of a client secret/),
    ]);
  });

  it('tells the faults of the files exactly as serve does, and checks nothing', async () => {
    const file = await world.writeConfig({ server: { prot: 1 }, identity: { tenant: 'contoso' } });
    const before = world.emulator.requests.length;
    const checked = await runCommand(['check', '--config', file]);
    expect(checked).toEqual(await runCommand(['serve', '--config', file]));
    expect(checked).toMatchObject({ code: 2, out: [] });
    expect(checked.errors).toHaveLength(2);
    expect(world.emulator.requests).toHaveLength(before);
  });

  it('is in the usage text', async () => {
    expect((await runCommand(['--help'])).out.join('\n')).toContain('obo-gateway check --config gateway.yaml');
  });

  it('prints no secret and no text of Entra, in plain text', async () => {
    world.emulator.switches.refuse = {
      error: 'invalid_client',
      error_codes: [7000222],
      description: 'AADSTS7000222: The keys of app Contoso Gateway are expired.',
      status: 401,
    };
    const { out } = await world.check();
    const text = out.join('\n');
    expect(text).toContain('AADSTS7000222');
    for (const forbidden of [GATEWAY_CLIENT_SECRET, 'Contoso Gateway', 'eyJ', '\u001B']) {
      expect(text).not.toContain(forbidden);
    }
  });

  it('lets go of everything in time when Entra hangs', async () => {
    Object.assign(world.emulator.switches, { keys: 'hang', entra: 'hang' });
    const { code, out } = await world.check();
    expect(code).toBe(1);
    expect(out.filter((line) => line.includes('not reachable (deadline exceeded)'))).toHaveLength(3);
  }, 15_000);
});
