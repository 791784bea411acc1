#!/usr/bin/env node
import { listenForStop } from './runtime/stop-signals.ts';

const argv = process.argv.slice(2);

// Before the rest is even loaded: docs/operate/stopping.md.
const stopSignals = listenForStop(argv[0] === 'serve' ? 0 : undefined);

/** Milliseconds that the process has to end by itself after `serve`; then it ends even if output waits for a reader. */
const GRACE_MS = 1_000;

if (await isWorker()) {
  const { ownHeap } = await import('./runtime/v8-heap.ts');
  const { runWorker } = await import('./workers/worker.ts');
  stopSignals.ignore();
  ownHeap();
  runWorker();
} else {
  const { run } = await import('./cli.ts');
  process.exitCode = await run(argv, {
    env: process.env,
    writeOut: (line) => process.stdout.write(`${line}\n`),
    writeError: (line) => process.stderr.write(`${line}\n`),
    untilStopped: stopSignals.untilStopped,
    onHangUp: (listener) => process.on('SIGHUP', listener),
  });
  if (argv[0] === 'serve') {
    setTimeout(() => process.exit(), GRACE_MS).unref();
  }
}

/** True for a worker of our own primary. The argument counts too: another program may run this one in its cluster. */
async function isWorker(): Promise<boolean> {
  const { WORKER_COMMAND } = await import('./workers/messages.ts');
  return argv[0] === WORKER_COMMAND && (await import('node:cluster')).default.isWorker;
}
