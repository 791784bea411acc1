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
import { callers } from './cases/callers.ts';
import { checks } from './cases/checks.ts';
import { compare } from './cases/compare.ts';
import { contractSize } from './cases/contract-size.ts';
import { events } from './cases/events.ts';
import { exchange } from './cases/exchange.ts';
import { gigabyte } from './cases/gigabyte.ts';
import { latency } from './cases/latency.ts';
import { log } from './cases/log.ts';
import { manyUsers } from './cases/many-users.ts';
import { redis } from './cases/redis.ts';
import { sessions } from './cases/sessions.ts';
import { start } from './cases/start.ts';
import { tracing } from './cases/tracing.ts';
import { warm } from './cases/warm.ts';
import { workers } from './cases/workers.ts';
import { describeMachine } from './machine.ts';
import { QuietRounds, type RepeatBudget } from './measure/quiet-rounds.ts';
import { findWhatIsMissing, prepare } from './prepare.ts';
import { renderReport, renderTable } from './report.ts';
import { killAll, stopAll } from './servers/child-process.ts';

/** What a full run answers. */
const FULL_RUN: readonly BenchCase[] = [
  warm,
  latency,
  workers,
  manyUsers,
  log,
  tracing,
  checks,
  bodies,
  events,
  burst,
  exchange,
  sessions,
  gigabyte,
  start,
  callers,
  contractSize,
  redis,
];

const CASES: readonly BenchCase[] = [...FULL_RUN, compare];

const USAGE = `Usage:
  npm run bench                 everything, written to bench/results.md; takes about 55 minutes on two cores, more
                                where neighbours disturb, and one more the first time, for the tokens
  npm run bench -- --quick      a try of about ten minutes: shorter rounds, fewer users and sessions, no results.md
  npm run bench -- warm …       some cases only, no results.md
  npm run bench -- compare --with <folder>
                                what a request costs in this checkout, in that of another one that is built
Cases: ${CASES.map(({ name }) => name).join(', ')}`;

type Paces = Pick<CaseContext, 'pace' | 'shortPace'>;

const FULL: Paces = {
  pace: { rounds: 5, seconds: 4, warmUpSeconds: 15, leadInSeconds: 1 },
  shortPace: { rounds: 3, seconds: 2, warmUpSeconds: 1, leadInSeconds: 1 },
};
const QUICK: Paces = {
  pace: { rounds: 1, seconds: 2, warmUpSeconds: 2, leadInSeconds: 1 },
  shortPace: { rounds: 1, seconds: 1, warmUpSeconds: 0, leadInSeconds: 0 },
};

/** So much time of a full run may go into what neighbours of the machine disturbed; a try shows no speeds anyway. */
const REPEATS: RepeatBudget = { reserve: 4 * 60, perSecond: 0.5 };
const NO_REPEATS: RepeatBudget = { reserve: 0, perSecond: 0 };

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

const { values, positionals } = readArguments();
if (values.help) {
  console.log(USAGE);
} else {
  process.exitCode = await main(positionals, values);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        with: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: true,
    });
  } catch {
    console.error(USAGE);
    process.exit(1);
  }
}

function assertions(count: number): Promise<Assertions> {
  return provideAssertions(TOKENS, count);
}

async function main(names: readonly string[], { quick: isQuick, with: otherCheckout }: typeof values): Promise<number> {
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
  const paces = isQuick ? QUICK : FULL;
  const chosen = names.length === 0 ? FULL_RUN : CASES.filter(({ name }) => names.includes(name));
  const quiet = new QuietRounds({ budget: isQuick ? NO_REPEATS : REPEATS, tell });
  const { rows, failures } = await runCases(chosen, {
    ...paces,
    quiet,
    isQuick,
    otherCheckout,
    folder,
    assertions,
    tell,
  });
  const machine = describeMachine(quiet.describe());
  console.log(`\n${renderTable(rows)}\n\n${machine.map((line) => line.join(': ')).join('\n')}`);
  if (isQuick || chosen !== FULL_RUN || failures > 0) {
    const weight = isQuick ? '\nRounds this short show that a case works, not how fast anything is.' : '';
    console.log(`${weight}\nOnly a full run in which no case failed is written to bench/results.md.`);
  } else {
    writeFileSync(RESULTS, renderReport(rows, machine, paces));
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
