#!/usr/bin/env node
import { once } from 'node:events';
import process from 'node:process';
import { run } from './cli.ts';

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  writeOut: (line) => process.stdout.write(`${line}\n`),
  writeError: (line) => process.stderr.write(`${line}\n`),
  untilStopped: async () => {
    await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  },
});
