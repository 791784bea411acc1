import { execFileSync } from 'node:child_process';
import { until } from '../support/gateway-poll.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';

/** A Redis cluster of three nodes, each with a third of the keys and no standby. */
export interface RedisCluster {
  /** As `tokenCache.redis.url` has it. */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** True when the last node says that all keys have one. */
  isComplete(): boolean;
  close(): Promise<void>;
}

/** Starts it and waits until it takes keys. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const config = ['cluster-enabled yes', 'cluster-node-timeout 1000'];
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis({ config })));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'pipe' });
  await until('all slots are covered', () => nodes.every(coversAllKeys), 60_000);
  return {
    url: `redis+cluster://${addresses.join(',')}`,
    nodes,
    isComplete: () => nodes.slice(-1).every(coversAllKeys),
    async close() {
      await Promise.all(nodes.map((server) => server.close()));
    },
  };
}

/** True when this node knows a node for each key. */
function coversAllKeys(node: RedisServer): boolean {
  return node.cli('cluster', 'info').includes('cluster_state:ok');
}
