import { until } from '../support/gateway-poll.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';

/** A Redis with a standby, and three Sentinels that watch over them. */
export interface Sentinels {
  /** As `tokenCache.redis.url` has it. */
  readonly url: string;
  readonly primary: RedisServer;
  readonly standby: RedisServer;
  /** The port of the server that the Sentinels name as the primary now. */
  namePrimary(): number;
  close(): Promise<void>;
}

/** Starts them and waits until they know each other. */
export async function startSentinels(): Promise<Sentinels> {
  const primary = await startRedis({ config: ['repl-diskless-sync-delay 0'] });
  const standby = await startRedis({
    config: ['repl-diskless-sync-delay 0', `replicaof 127.0.0.1 ${primary.port}`],
  });
  const watch = [
    `sentinel monitor mymaster 127.0.0.1 ${primary.port} 2`,
    'sentinel down-after-milliseconds mymaster 500',
    'sentinel failover-timeout mymaster 2000',
  ];
  const sentinels = await Promise.all([1, 2, 3].map(() => startRedis({ isSentinel: true, config: watch })));
  await until(
    'the Sentinels know each other and the standby',
    () => sentinels.every((server) => /slaves=1,sentinels=3/.test(server.cli('info', 'sentinel'))),
    60_000,
  );
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/mymaster/0`,
    primary,
    standby,
    namePrimary() {
      const named = sentinels.map((server) => server.cli('sentinel', 'get-master-addr-by-name', 'mymaster'));
      // They have to agree.
      return new Set(named).size === 1 ? Number(named[0]?.split('\n')[1]) : 0;
    },
    async close() {
      await Promise.all([primary, standby, ...sentinels].map((server) => server.close()));
    },
  };
}
