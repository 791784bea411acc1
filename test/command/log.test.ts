import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import { until, type Run } from '../support/command-program.ts';
import { startCommandWorld, type ServerSettings } from '../support/command-world.ts';

// Whole programs start here, several at a time.
jest.setTimeout(120_000);

const world = await startCommandWorld();
const { program, writeConfig, env } = world;
const folder = await mkdtemp(join(tmpdir(), 'gateway-log-'));
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

/** More lines than may wait, than a pipe and a socket hold, and than are written at once. */
const CALLS = 12_000;

let pipes = 0;

interface Pipe {
  readonly reader: number;
  readonly writer: number;
}

/** A pipe as a shell makes it. */
function openPipe(): Pipe {
  pipes += 1;
  const path = join(folder, `pipe-${pipes}`);
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

function closePipe({ reader, writer }: Pipe): void {
  closeSync(reader);
  closeSync(writer);
}

/** Everything that a pipe holds now. */
function readAll({ reader }: Pipe): string {
  const chunk = Buffer.alloc(65_536);
  let text = '';
  try {
    for (;;) {
      text += chunk.subarray(0, readSync(reader, chunk)).toString();
    }
  } catch (error) {
    expect(error).toMatchObject({ code: 'EAGAIN' });
    return text;
  }
}

interface Served {
  readonly run: Run;
  readonly port: number;
  readonly management: string;
}

/** Starts a gateway with its log on this descriptor, and waits until it takes requests, whatever it logs. */
async function serve(output?: number, settings: ServerSettings = {}): Promise<Served> {
  const [port, managementPort] = [await findFreePort(), await findFreePort()];
  const file = await writeConfig('gateway.yaml', { port, managementPort, ...settings });
  const run = program.start(['serve', '--config', file], env, output);
  const management = `http://127.0.0.1:${managementPort}`;
  await until(async () => {
    const response = await fetch(`${management}/readyz`).catch(() => undefined);
    return response?.ok === true ? true : undefined;
  });
  return { run, port, management };
}

/** Calls a path that is not there again and again, and resolves with how many answers came. */
async function call(port: number, calls: number): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let answers = 0;
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('latin1')).split('HTTP/1.1 404 ');
    answers += parts.length - 1;
    rest = (parts.at(-1) ?? '').slice(-20);
  });
  const last = 'GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  socket.write('GET /none HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(calls - 1) + last);
  await once(socket, 'close');
  return answers;
}

/** How many lines of the log were lost, from the metrics page. */
async function countDropped(management: string): Promise<number> {
  const page = await (await fetch(`${management}/metrics`)).text();
  return Number(/^gateway_log_lines_dropped_total (\d+)$/m.exec(page)?.[1]);
}

async function endOf({ run }: Served): Promise<number | NodeJS.Signals> {
  run.process.kill('SIGTERM');
  return run.ended;
}

describe('a log that nobody reads holds nobody up', () => {
  it.each([[1], [2]])(
    'behind a pipe, with %i worker(s): requests are answered, lines are lost and counted',
    async (workers) => {
      const pipe = openPipe();
      const gateway = await serve(pipe.writer, { workers });
      const answers = await call(gateway.port, CALLS);
      expect([answers, await countDropped(gateway.management)]).toEqual([CALLS, expect.any(Number)]);
      expect(await countDropped(gateway.management)).toBeGreaterThan(1_000);
      expect(await endOf(gateway)).toBe(0);
      closePipe(pipe);
    },
  );

  it('behind a socket, as journald has it', async () => {
    const gateway = await serve();
    gateway.run.process.stdout?.pause();
    const answers = await call(gateway.port, CALLS);
    const dropped = await countDropped(gateway.management);
    gateway.run.process.kill('SIGTERM');
    await once(gateway.run.process, 'exit');
    gateway.run.process.stdout?.resume();
    expect([answers, dropped > 0, await gateway.run.ended]).toEqual([CALLS, true, 0]);
  });

  it('behind a pipe whose reader went away', async () => {
    const gateway = await serve();
    gateway.run.process.stdout?.destroy();
    const answers = await call(gateway.port, 1_000);
    expect([answers, await countDropped(gateway.management)]).toEqual([1_000, expect.any(Number)]);
    expect(await countDropped(gateway.management)).toBeGreaterThan(0);
    expect(await endOf(gateway)).toBe(0);
  });

  it('behind a disk that is full', async () => {
    const full = openSync('/dev/full', 'w');
    const gateway = await serve(full);
    const answers = await call(gateway.port, 1_000);
    expect(answers).toBe(1_000);
    expect(await countDropped(gateway.management)).toBeGreaterThan(0);
    expect(await endOf(gateway)).toBe(0);
    closeSync(full);
  });
});

describe('a reader that comes back', () => {
  it('finds whole lines, and one that says how many were lost', async () => {
    const pipe = openPipe();
    const gateway = await serve(pipe.writer);
    await call(gateway.port, CALLS);
    const dropped = await countDropped(gateway.management);
    let text = '';
    await until(() => {
      text += readAll(pipe);
      return text.includes('log lines were lost') ? true : undefined;
    });
    await call(gateway.port, 10);
    expect(await endOf(gateway)).toBe(0);
    text += readAll(pipe);
    closePipe(pipe);
    const lines = text.split('\n').slice(0, -1);
    const parsed = lines.map((line) => JSON.parse(line) as { msg: string; dropped?: number });
    const told = parsed.filter((line) => line.dropped !== undefined).map((line) => line.dropped);
    expect(told).toEqual([dropped]);
    expect(parsed.filter(({ msg }) => msg === 'request')).toHaveLength(CALLS + 10 - dropped);
  });
});

describe('with whenBlocked: wait', () => {
  it('requests wait until somebody reads, and every line arrives', async () => {
    const pipe = openPipe();
    const gateway = await serve(pipe.writer, { whenBlocked: 'wait' });
    let answers: number | undefined;
    const calls = call(gateway.port, 3_000).then((count) => (answers = count));
    let text = '';
    await until(() => {
      text += readAll(pipe);
      return answers;
    });
    const dropped = await countDropped(gateway.management);
    expect([await calls, dropped, await endOf(gateway)]).toEqual([3_000, 0, 0]);
    text += readAll(pipe);
    closePipe(pipe);
    expect(text.split('\n').filter((line) => line.includes('"msg":"request"'))).toHaveLength(3_000);
  });
});
