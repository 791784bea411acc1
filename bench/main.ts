import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { provideAssertions, type Assertions } from './assertions.ts';
import type { BenchCase, CaseContext, Row } from './case.ts';
import { bodies } from './cases/bodies.ts';
import { burst } from './cases/burst.ts';
import { events } from './cases/events.ts';
import { exchange } from './cases/exchange.ts';
import { gigabyte } from './cases/gigabyte.ts';
import { log } from './cases/log.ts';
import { manyUsers } from './cases/many-users.ts';
import { sessions } from './cases/sessions.ts';
import { start } from './cases/start.ts';
import { warm } from './cases/warm.ts';
import { describeMachine } from './machine.ts';
import type { Pace } from './measure/rounds.ts';
import { findWhatIsMissing, prepare } from './prepare.ts';
import { renderReport, renderTable } from './report.ts';
import { killAll, stopAll } from './servers/child-process.ts';

/*
 * npm run bench                      everything, written to bench/results.md
 * npm run bench -- --quick           a short try
 * npm run bench -- warm …            some cases only
 */

const CASES: readonly BenchCase[] = [warm, manyUsers, log, bodies, events, burst, exchange, sessions, gigabyte, start];

const FULL: Pace = { rounds: 7, seconds: 6, warmUpSeconds: 5 };
const QUICK: Pace = { rounds: 3, seconds: 2, warmUpSeconds: 2 };

const TOKENS = fileURLToPath(new URL('.tokens/', import.meta.url));
const RESULTS = fileURLToPath(new URL('results.md', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'obo-gateway-bench-'));
process.on('exit', () => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(1));
}

// Debian has haproxy where not everyone's shell looks.
process.env['PATH'] += ':/usr/sbin:/sbin';

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true });
process.exitCode = await main(values.quick === true, positionals);

function assertions(count: number): Promise<Assertions> {
  return provideAssertions(TOKENS, count);
}

async function main(isQuick: boolean, names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !CASES.some((one) => one.name === name));
  const missing = unknown.length > 0 ? [nameCases(unknown)] : findWhatIsMissing();
  if (missing.length > 0) {
    console.error(missing.join('\n'));
    return 1;
  }
  try {
    prepare(tell);
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
  const pace = isQuick ? QUICK : FULL;
  const chosen = names.length === 0 ? CASES : CASES.filter(({ name }) => names.includes(name));
  const { rows, failures } = await runCases(chosen, { pace, isQuick, folder, assertions, tell });
  const machine = describeMachine();
  console.log(`\n${renderTable(rows)}\n\n${machine.map((line) => line.join(': ')).join('\n')}`);
  if (isQuick || chosen.length < CASES.length) {
    console.log('\nA quick run, or one of some cases only, is not written to bench/results.md.');
  } else {
    writeFileSync(RESULTS, renderReport(rows, machine, pace));
    console.log('\nwritten to bench/results.md');
  }
  return failures === 0 ? 0 : 1;
}

/** Runs the cases one after the other; one that fails becomes a row that says so. */
async function runCases(
  cases: readonly BenchCase[],
  context: CaseContext,
): Promise<{ readonly rows: Row[]; readonly failures: number }> {
  const rows: Row[] = [];
  let failures = 0;
  for (const { name, question, run } of cases) {
    tell(`${name}: ${question}`);
    try {
      rows.push(...(await run(context)));
    } catch (error) {
      failures += 1;
      tell(`${name} FAILED: ${(error as Error).message}`);
      rows.push({ figure: name, aim: '', seen: 'failed', isMet: false, details: (error as Error).message });
    }
    await stopAll();
  }
  return { rows, failures };
}

function nameCases(unknown: readonly string[]): string {
  return `No case is called ${unknown.join(' or ')}; there are: ${CASES.map(({ name }) => name).join(', ')}.`;
}

function tell(line: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
}
