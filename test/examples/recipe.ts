import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { Browser, type Persona } from '../../dev/tour/browser.ts';
import type { DemoWorld } from '../../dev/world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** How to run a recipe. */
export interface RecipeOptions {
  readonly args?: readonly string[];
  /** Added to the addresses of the world. */
  readonly env?: Readonly<Record<string, string>>;
  /** Who sits before the terminal and the browser; default nobody. */
  readonly person?: Persona;
}

/** What a recipe left behind. */
export interface Finished {
  readonly code: number | null;
  readonly output: string;
  /** Lines of the error output. */
  readonly told: readonly string[];
  /** What the person was asked for, in turn. */
  readonly asked: readonly ('sign-in' | 'code' | 'consent')[];
}

/** Starts `examples/{name}/main.ts` as its reader does. */
export function startRecipe(name: string, world: DemoWorld, options: RecipeOptions): ChildProcessWithoutNullStreams {
  const file = `examples/${name}/main.ts`;
  return spawn(process.execPath, ['--import', 'tsx', file, ...(options.args ?? [])], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      ENTRA_URL: world.emulator.origin,
      GATEWAY_URL: world.gatewayUrl,
      ...options.env,
    },
  });
}

/** Runs a program of `examples/` to its end; the person does in a browser what it asks for. */
export async function runRecipe(name: string, world: DemoWorld, options: RecipeOptions = {}): Promise<Finished> {
  const program = startRecipe(name, world, options);
  const browser = new Browser(world.emulator.origin);
  const told: string[] = [];
  const asked: Finished['asked'][number][] = [];
  const visits: Promise<unknown>[] = [];
  let output = '';
  program.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  createInterface({ input: program.stderr }).on('line', (line) => {
    const request = readRequest(line, told.at(-1));
    told.push(line);
    if (!request || !options.person) {
      return;
    }
    asked.push(request.what);
    const visit = browser.visit(request.page, { ...options.person, ...request.fields });
    // Only the consent page is followed by Enter: one too many would wait in the pipe and answer the next question.
    visits.push(request.what === 'consent' ? visit.then(() => program.stdin.write('\n')) : visit);
  });
  const [code] = (await once(program, 'close')) as [number | null];
  await Promise.all(visits);
  return { code, output, told, asked };
}

interface PersonalRequest {
  readonly what: Finished['asked'][number];
  readonly page: string;
  readonly fields?: Persona;
}

/** What a line of the terminal asks of the person who reads it. */
function readRequest(line: string, before = ''): PersonalRequest | undefined {
  const [, page, code] = /open the page (\S+) in a browser and enter the code (\w+)/.exec(line) ?? [];
  if (page !== undefined && code !== undefined) {
    return { what: 'code', page, fields: { user_code: code } };
  }
  if (!line.startsWith('http')) {
    return undefined;
  }
  return { what: before.includes('permission') ? 'consent' : 'sign-in', page: line };
}

/** Entra throttles the gateway, not the client: from the client's token until the gateway met it. */
export function throttleGateway({ emulator }: DemoWorld): () => void {
  emulator.switches.retryAfter = '1';
  return emulator.onRequest(({ exchange }) => {
    if (exchange?.status === 200 && exchange.clientId !== GATEWAY_CLIENT_ID) {
      emulator.switches.entra = 'throttled';
    }
    if (exchange?.clientId === GATEWAY_CLIENT_ID) {
      emulator.switches.entra = 'up';
    }
  });
}
