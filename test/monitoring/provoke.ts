import { LogOutput } from '../../src/telemetry/log-output.ts';
import { until } from '../support/gateway-poll.ts';
import { startRedis } from '../support/redis-server.ts';
import { startGatewayWorld, type GatewayWorld, type GatewayWorldOptions } from '../support/gateway-world.ts';

type Line = Readonly<Record<string, unknown>>;

/** Makes the incidents happen of which the pages quote lines; each returns what the gateway logged. */
export const INCIDENTS: Readonly<Record<string, () => Promise<readonly Line[]>>> = {
  // The world's gateway logs its start; what callers see is not asked here.
  'gateway-down': () => play({}, () => Promise.resolve()),
  'error-budget': throttle,
  entra: async () => [...(await throttle()), ...(await breakConnections())],
  credential: () =>
    play({}, async (world) => {
      world.emulator.switches.secretExpired = true;
      await callMe(world);
    }),
  'signing-keys': () =>
    play({}, async (world) => {
      await world.emulator.rollKeys();
      world.emulator.switches.keys = 'down';
      await callMe(world);
    }),
  'step-up-loop': () =>
    play({}, async (world) => {
      const start = Math.floor(Date.now() / 1_000) - 1_000;
      for (const offset of [0, 1, 2]) {
        const token = world.token('adele', { claims: { iat: start + offset } });
        await finish(world.call('/payouts', { method: 'POST', body: '{}', token }));
      }
    }),
  downstream: () =>
    play({}, async (world) => {
      // As many failures in a row as open the circuit, and calls that it stops: on a busy machine it may let one through.
      for (let call = 0; call <= 53; call += 1) {
        await finish(world.call('/gone'));
      }
      world.downstream.answer = (_req, res) => res.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      await callMe(world);
    }),
  redis: loseRedis,
  overload: () =>
    play({ server: { maxInFlight: 2 } }, async (world) => {
      world.downstream.answer = () => undefined;
      const leave = new AbortController();
      const waiting = [1, 2].map(() => world.call('/open', { signal: leave.signal }).catch(() => undefined));
      await until('two requests are under way', () => world.downstream.requests.length === 2);
      await finish(world.call('/open'));
      leave.abort();
      await Promise.all(waiting);
    }),
  'log-lines': () => Promise.resolve([...loseLines('EAGAIN'), ...loseLines('ENOSPC')]),
};

async function play(
  options: GatewayWorldOptions,
  act: (world: GatewayWorld) => Promise<void>,
): Promise<readonly Line[]> {
  const world = await startGatewayWorld(options);
  try {
    await act(world);
    return world.log.lines;
  } finally {
    await world.close();
  }
}

/** Reads an answer to its end, which is when its line is written. */
async function finish(answer: Promise<Response>): Promise<void> {
  await (await answer).text();
}

function callMe(world: GatewayWorld): Promise<void> {
  return finish(world.call('/me', { token: world.token('adele') }));
}

function throttle(): Promise<readonly Line[]> {
  return play({}, (world) => {
    world.emulator.switches.entra = 'throttled';
    return callMe(world);
  });
}

function breakConnections(): Promise<readonly Line[]> {
  return play({}, (world) => {
    world.emulator.switches.entra = 'reset';
    return callMe(world);
  });
}

/** Ends Redis, and starts it again. */
async function loseRedis(): Promise<readonly Line[]> {
  const redis = await startRedis();
  // Down from the start: of a connection that breaks, it depends on the moment what the line says.
  await redis.kill();
  try {
    return await play({ tokenCache: { redis: { url: redis.url } } }, async (world) => {
      const hasLine = (msg: string) => (): boolean => world.log.lines.some((line) => line['msg'] === msg);
      await callMe(world);
      await until('the outage is logged', hasLine('the token cache in Redis fails: requests go on without it'));
      await redis.restart();
      await until('its end is logged', hasLine('the token cache in Redis works again'));
    });
  } finally {
    await redis.close();
  }
}

/** Writes as many lines as make the output lose 500, while a write fails with this code. */
function loseLines(code: string): readonly Line[] {
  let isBroken = true;
  let written = '';
  const write = (data: Buffer): number => {
    if (isBroken) {
      throw Object.assign(new Error('write'), { code });
    }
    written += data.toString();
    return data.length;
  };
  const output = new LogOutput({ write }, { whenBlocked: 'drop' });
  const kept = code === 'EAGAIN' ? 10_000 : 0;
  for (let line = 0; line < kept + 500; line += 1) {
    output.write('{}\n');
  }
  output.flush();
  isBroken = false;
  output.flush();
  return written
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}
