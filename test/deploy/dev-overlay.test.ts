import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { findFreePorts, portVariables, type Ports } from '../../dev/ports.ts';
import { readStages, wordsOf } from '../packaging/dockerfile.ts';
import { until } from '../support/gateway-poll.ts';
import { readOverlay, type Overlay } from './overlay.ts';
import { layOutFiles, type PodFiles } from './pod-files.ts';
import { describeWithKubectl } from './rendered.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a busy machine may take to start two programs, in milliseconds. */
const PATIENCE_MS = 60_000;

describeWithKubectl('the pod of overlays/dev, its containers as processes of this machine', () => {
  let overlay: Overlay;
  let ports: Ports;
  let files: PodFiles;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    overlay = await readOverlay('overlays/dev');
    ports = await findFreePorts();
    const moved = new Map([
      ['0.0.0.0', '127.0.0.1'],
      ['8080', String(ports.gateway)],
      ['8081', String(ports.emulator)],
      ['8082', String(ports.graph)],
      ['8083', String(ports.orders)],
      ['9090', String(ports.management)],
    ]);
    files = layOutFiles(overlay.objects, overlay.gateway, {}, moved);
    const [stage = []] = readStages(new URL('../../dev/Dockerfile', import.meta.url)).slice(-1);
    start(wordsOf(stage, 'ENTRYPOINT'), portVariables(ports));
    start(['node', '--import', 'tsx', 'src/main.ts', ...files.args], {});
    await until('the gateway is ready', () => isOk(probe('readinessProbe')), PATIENCE_MS);
  }, PATIENCE_MS * 2);

  afterAll(async () => {
    for (const child of running.filter(({ exitCode }) => exitCode === null)) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(files.folder, { recursive: true });
  });

  function start([command = '', ...args]: readonly string[], env: Record<string, string>): void {
    const program = command === 'node' ? process.execPath : command;
    running.push(spawn(program, args, { cwd: ROOT, env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' }));
  }

  function probe(name: 'startupProbe' | 'readinessProbe' | 'livenessProbe'): string {
    return `http://127.0.0.1:${ports.management}${overlay.gateway[name]?.httpGet.path}`;
  }

  it.each(['startupProbe', 'readinessProbe', 'livenessProbe'] as const)('answers the %s', async (name) => {
    expect((await fetch(probe(name))).status).toBe(200);
  });

  it.each(['/me', '/orders'])('serves %s to a person of the emulator', async (path) => {
    const token = await (await fetch(`http://localhost:${ports.emulator}/_emulator/token?user=adele`)).text();
    const answer = await fetch(`http://localhost:${ports.gateway}${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
  });

  it('ends by itself when the pod is stopped', async () => {
    const ended = Promise.all(running.map((child) => once(child, 'exit')));
    for (const child of running) {
      child.kill('SIGTERM');
    }
    expect((await ended).map(([code]) => code as unknown)).toEqual([0, 0]);
  });
});

/** True once something answers with success. */
async function isOk(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
