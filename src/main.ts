#!/usr/bin/env node
import { once } from 'node:events';
import { run } from './cli.ts';
import { WORKER_COMMAND } from './workers/messages.ts';

const argv = process.argv.slice(2);

/** Milliseconds that the process has to end by itself after `serve`; then it ends even if output waits for a reader. */
const GRACE_MS = 1_000;

if (await isWorker()) {
  const { keepGarbageYoung } = await import('./runtime/v8-heap.ts');
  const { runWorker } = await import('./workers/worker.ts');
  keepGarbageYoung();
  runWorker();
} else {
  process.exitCode = await run(argv, {
    env: process.env,
    writeOut: (line) => process.stdout.write(`${line}\n`),
    writeError: (line) => process.stderr.write(`${line}\n`),
    untilStopped,
  });
  if (argv[0] === 'serve') {
    setTimeout(() => process.exit(), GRACE_MS).unref();
  }
}

/** True for a worker of our own primary. The argument counts too: another program may run this one in its cluster. */
async function isWorker(): Promise<boolean> {
  return argv[0] === WORKER_COMMAND && (await import('node:cluster')).default.isWorker;
}

async function untilStopped(): Promise<void> {
  const first = new AbortController();
  await Promise.race(['SIGTERM', 'SIGINT'].map((signal) => once(process, signal, first)));
  // A second signal finds no listener, so it ends the process at once.
  first.abort();
}
