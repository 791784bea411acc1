import { fileURLToPath } from 'node:url';

/** What to start, and with what. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** The command that runs one of `bench/programs/`. */
export function runTypeScript(program: string, ...args: readonly (string | number)[]): Program {
  const file = fileURLToPath(new URL(`../programs/${program}`, import.meta.url));
  return { command: process.execPath, args: ['--import', 'tsx', file, ...args.map(String)] };
}
