#!/usr/bin/env node
import cluster from 'node:cluster';
import { once } from 'node:events';
import process from 'node:process';
import { run } from './cli.ts';
import { keepGarbageYoung } from './garbage-collection.ts';
import { WORKER_COMMAND } from './workers/messages.ts';

const argv = process.argv.slice(2);

keepGarbageYoung();

// Another program, too, may run this one as a worker of its cluster.
if (cluster.isWorker && argv[0] === WORKER_COMMAND) {
  const { runWorker } = await import('./workers/worker.ts');
  runWorker();
} else {
  process.exitCode = await run(argv, {
    env: process.env,
    writeOut: (line) => process.stdout.write(`${line}\n`),
    writeError: (line) => process.stderr.write(`${line}\n`),
    untilStopped,
  });
}

async function untilStopped(): Promise<void> {
  const first = new AbortController();
  await Promise.race(['SIGTERM', 'SIGINT'].map((signal) => once(process, signal, first)));
  // The next one finds no listener, and so ends the process at once.
  first.abort();
}
