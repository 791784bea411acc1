import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../dev/ports.ts';
import { until } from '../support/gateway-poll.ts';

/** True where Prometheus is installed. */
export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

/** A Prometheus that scrapes replicas. */
export interface Prometheus {
  /** The values of a query, in the order of its series. */
  query(expression: string): Promise<number[]>;
  close(): Promise<void>;
}

interface QueryAnswer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

/**
 * Starts a Prometheus that scrapes the management ports every second.
 *
 * @param ports those of the management listeners
 */
export async function startPrometheus(ports: readonly number[]): Promise<Prometheus> {
  const port = await findFreePort();
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const file = join(folder, 'prometheus.yml');
  const targets = ports.map((target) => `127.0.0.1:${target}`);
  await writeFile(
    file,
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'gateway', static_configs: [{ targets }] }],
    }),
  );
  const child = spawn(
    'prometheus',
    [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;

  async function query(expression: string): Promise<number[]> {
    const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`);
    const { data } = (await answer.json()) as QueryAnswer;
    return data.result.map(({ value }) => Number(value[1]));
  }

  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) {
      throw new Error(`prometheus ended with ${child.exitCode}`);
    }
    return fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await until('Prometheus is ready', isReady, 60_000);
  return {
    query,
    async close() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(folder, { recursive: true });
    },
  };
}
