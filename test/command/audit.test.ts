import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../support/command-program.ts';
import { startCommandWorld } from '../support/command-world.ts';

// Whole programs start here, several at a time.
jest.setTimeout(120_000);

const world = await startCommandWorld();
const { program, writeConfig, env, bearer } = world;
const folder = mkdtempSync(join(tmpdir(), 'gateway-audit-'));
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

type Line = Record<string, unknown>;

function eventsIn(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter(({ event }) => event !== undefined);
}

function isRefused(text: string): boolean {
  return text.includes('"event":"token.refused"');
}

describe('log.audit', () => {
  it.each(['serve', 'check'])('that cannot be opened ends %s with 2, and names the key', async (command) => {
    const audit = join(folder, 'gone', 'audit.log');
    const run = program.start([command, '--config', await writeConfig(`${command}.yaml`, { audit })], env);
    expect(await run.ended).toBe(2);
    expect(run.err()).toBe("log.audit: cannot be opened for writing (ENOENT); allowed: a file, or 'stderr'\n");
  });

  it('as a file has the events of all workers, each line whole, once the gateway has stopped', async () => {
    const audit = join(folder, 'audit.log');
    const { run, url } = await world.serve({ workers: 2, audit });
    const calls = Array.from({ length: 40 }, (_, index) =>
      fetch(`${url}/me`, { headers: index % 2 === 0 ? bearer() : { authorization: 'Bearer no.token.at-all' } }),
    );
    await Promise.all(calls.map(async (call) => (await call).text()));
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    const told = eventsIn(readFileSync(audit, 'utf8'));
    const refused = told.filter(({ event }) => event === 'token.refused');
    expect([refused.length, new Set(told.map(({ worker }) => worker))]).toEqual([20, new Set([1, 2])]);
    expect(told.some(({ event }) => event === 'exchange.made')).toBe(true);
  });

  it('as stderr has what the log has', async () => {
    const { run, url } = await world.serve({ audit: 'stderr' });
    await (await fetch(`${url}/me`, { headers: { authorization: 'Bearer no.token.at-all' } })).text();
    await until(() => (isRefused(run.err()) && isRefused(run.out()) ? true : undefined));
    run.process.kill('SIGTERM');
    await run.ended;
    expect(eventsIn(run.err())).toEqual(eventsIn(run.out()));
  });
});
