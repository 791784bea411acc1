import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { findFreePorts, portVariables } from '../../dev/ports.ts';

const MAIN = fileURLToPath(new URL('../../dev/main.ts', import.meta.url));

describe('npm start', () => {
  it('says ready and the playground’s address first, and has the page by then; a signal ends it', async () => {
    const ports = await findFreePorts();
    const env = { PATH: process.env['PATH'] ?? '', ...portVariables(ports) };
    const world = spawn(process.execPath, ['--import', 'tsx', MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(world, 'close');
    try {
      const [printed] = (await once(world.stdout, 'data')) as [Buffer];
      const [first = ''] = printed.toString().split('\n');
      expect(first).toBe(`ready http://localhost:${ports.playground}`);
      const page = await fetch(`${first.slice('ready '.length)}/app.js`);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
    } finally {
      world.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
  }, 60_000);
});
