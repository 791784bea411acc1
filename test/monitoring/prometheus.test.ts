import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ROWS } from '../../dev/monitoring/panels.ts';
import { findFreePort } from '../../dev/ports.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { describeWith } from '../support/installed-program.ts';
import { readShipped, RULES } from './known-series.ts';

const isInstalled = spawnSync('prometheus', ['--version']).status === 0;

/** Milliseconds; Prometheus shares a slow machine. */
const PATIENCE = 90_000;

/** A Prometheus with the configuration as it is shipped, but for its target and its pace. */
interface Prometheus {
  readonly get: (path: string) => Promise<unknown>;
  close(): Promise<void>;
}

async function startPrometheus(target: string): Promise<Prometheus> {
  const port = await findFreePort();
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const config = readShipped('prometheus.yml').replaceAll('15s', '1s').replace('127.0.0.1:9090', target);
  await writeFile(join(folder, 'prometheus.yml'), config);
  await writeFile(join(folder, 'prometheus-rules.yaml'), readShipped('prometheus-rules.yaml'));
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string): Promise<unknown> => {
    const { data } = (await (await fetch(`${url}${path}`)).json()) as { readonly data?: unknown };
    return data;
  };
  await until(
    'Prometheus is ready',
    async () => {
      expect(child.exitCode).toBeNull();
      return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true;
    },
    PATIENCE,
  );
  return {
    get,
    async close() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}

interface QueryResult {
  readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[];
}

interface EvaluatedRule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

describeWith('prometheus', isInstalled, 'a Prometheus with the files of deploy/monitoring/', () => {
  let world: GatewayWorld;
  let prometheus: Prometheus;
  beforeAll(
    async () => {
      world = await startGatewayWorld();
      prometheus = await startPrometheus(new URL(world.managementUrl).host);
      await until('the gateway was scraped', async () => (await ask('gateway_build_info')).length > 0, PATIENCE);
    },
    2 * PATIENCE + 30_000,
  );
  afterAll(async () => {
    await prometheus.close();
    await world.close();
  });

  async function ask(query: string): Promise<QueryResult['result']> {
    const data = await prometheus.get(`/api/v1/query?query=${encodeURIComponent(query)}`);
    return (data as QueryResult | undefined)?.result ?? [];
  }

  async function readRules(): Promise<EvaluatedRule[]> {
    const { groups } = (await prometheus.get('/api/v1/rules')) as { groups: { rules: EvaluatedRule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  it('knows what runs there', async () => {
    expect((await ask('gateway_build_info')).map(({ metric }) => metric)).toEqual([
      expect.objectContaining({ job: 'obo-gateway', node: process.version }),
    ]);
  });

  it(
    'evaluates every rule',
    async () => {
      await until(
        'each rule was evaluated',
        async () => (await readRules()).every(({ health }) => health !== 'unknown'),
        PATIENCE,
      );
      const rules = await readRules();
      expect(rules.map(({ name, health, lastError = '' }) => [name, health, lastError].join(' ')).toSorted()).toEqual(
        RULES.map(({ alert, record }) => [alert ?? record, 'ok', ''].join(' ')).toSorted(),
      );
    },
    PATIENCE + 10_000,
  );

  it(
    'fires an alert for what happens to callers',
    async () => {
      // Newer tokens of one person, who never satisfies the authentication context that the operation needs.
      const start = Math.floor(Date.now() / 1_000) - 1_000;
      for (const offset of Array.from({ length: 20 }, (_, index) => index)) {
        const token = world.token('adele', { claims: { iat: start + offset } });
        await world.call('/payouts', { method: 'POST', token, body: '{}' });
      }
      const firing = 'ALERTS{alertname="GatewayStepUpLoop", alertstate="firing"}';
      await until('the alert fires', async () => (await ask(firing)).length > 0, PATIENCE);
      expect((await ask(firing)).map(({ metric }) => metric['severity'])).toEqual(['warning']);
    },
    PATIENCE + 10_000,
  );

  it('understands every query of the dashboard', async () => {
    for (const expr of ROWS.flatMap(({ panels }) =>
      panels.flatMap(({ queries }) => queries.map((query) => query.expr)),
    )) {
      const query = expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(?:job|instance)/g, '.+');
      const data = await prometheus.get(`/api/v1/query?query=${encodeURIComponent(query)}`);
      expect([query, data]).toEqual([query, expect.objectContaining({ resultType: 'vector' })]);
    }
  });
});
