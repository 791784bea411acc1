import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildProgram, type Program } from '../support/command-program.ts';
import { until } from '../support/gateway-poll.ts';
import { RawConnection } from '../support/raw-request.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program.remove());

/** A server in a process that may open few files; it says its port, and when it has no descriptor left. */
const SERVER = `
  const { createHttpServer, listen } = await import(process.argv[1]);
  const { server } = createHttpServer((req, res) => res.end('well'), () => undefined, {
    onDescriptorsExhausted: () => process.stdout.write('exhausted\\n'),
  });
  const { port } = await listen(server, '127.0.0.1', 0, 'port');
  process.stdout.write(port + '\\n');
`;

describe('a process that has no file descriptor left', () => {
  it('says so once, goes on with the connections it has, and takes new ones as soon as it can', async () => {
    const module = `file://${program.folder}/http/server.js`;
    const shell = ['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', SERVER, module];
    const child = spawn('sh', shell, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    await until('it listens', () => out.includes('\n'));
    const port = Number(out.split('\n')[0]);
    const first = new RawConnection(port).send('GET / HTTP/1.1', 'Host: x');
    await first.response();
    const many = Array.from({ length: 100 }, () => new RawConnection(port));
    await until('it says so', () => out.includes('exhausted'));
    expect((await first.send('GET / HTTP/1.1', 'Host: x').response()).status).toBe(200);
    many.forEach((connection) => connection.close());
    await until('it takes connections again', async () => {
      const next = new RawConnection(port).send('GET / HTTP/1.1', 'Host: x');
      await until('it is answered or closed', () => next.isClosed || next.received !== '');
      next.close();
      return next.received.startsWith('HTTP/1.1 200');
    });
    expect(out.match(/exhausted/g)).toHaveLength(1);
    first.close();
    child.kill('SIGKILL');
    await once(child, 'close');
  });
});
