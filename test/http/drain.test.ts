import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { drain } from '../../src/http/drain.ts';
import { createHttpServer, listen, type HttpServer } from '../../src/http/server.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { connectTo, RawConnection } from '../support/raw-request.ts';
import { startSlowNetwork } from '../support/slow-network.ts';
import { selfSigned, type CertificateFiles } from '../support/token-certificate.ts';

// The delays here are real ones.
jest.setTimeout(120_000);

const first = await startGatewayWorld();
afterAll(() => first.close());

/** A gateway of its own that is about to stop. */
function startWorld(server: object, certificate?: CertificateFiles): Promise<GatewayWorld> {
  return startGatewayWorld({ emulator: first.emulator, server, ...(certificate && { certificate }) });
}

function ask(connection: RawConnection, target = '/open'): RawConnection {
  return connection.send(`GET ${target} HTTP/1.1`, 'Host: x');
}

/** A client that keeps its connection and calls again and again. */
class BusyClient {
  readonly statuses: (number | undefined)[] = [];
  readonly failures: string[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  async call(port: number, isOver: () => boolean, pause: number): Promise<void> {
    while (!isOver()) {
      await new Promise<void>((resolve) => {
        request({ port, host: '127.0.0.1', path: '/open', agent: this.#agent }, (res) => {
          res
            .resume()
            .on('end', () => {
              this.statuses.push(res.statusCode);
              resolve();
            })
            .on('error', ({ message }) => {
              this.failures.push(message);
              resolve();
            });
        })
          .on('error', ({ message }) => {
            this.failures.push(message);
            resolve();
          })
          .end();
      });
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.#agent.destroy();
  }
}

describe('a gateway that stops under load, behind a network with a delay', () => {
  it('loses no request of 40 clients that keep their connections', async () => {
    const world = await startWorld({ drainDelay: '6s', drainTimeout: '20s' });
    const network = await startSlowNetwork(world.port, 20);
    let isSentElsewhere = false;
    const clients = Array.from({ length: 40 }, () => new BusyClient());
    const calling = clients.map((client, index) => client.call(network.port, () => isSentElsewhere, index * 10));
    await until('all have called', () => clients.every(({ statuses }) => statuses.length > 1));
    const stopped = world.gateway.stop();
    await until('readiness is gone', async () => (await fetch(`${world.managementUrl}/readyz`)).status === 503);
    const before = clients.map(({ statuses }) => statuses.length);
    await until('all have called again', () =>
      clients.every(({ statuses }, at) => statuses.length > (before[at] ?? 0) + 1),
    );
    isSentElsewhere = true;
    await Promise.all(calling);
    await stopped;
    expect(clients.flatMap(({ failures }) => failures)).toEqual([]);
    expect(new Set(clients.flatMap(({ statuses }) => statuses))).toEqual(new Set([200]));
    await network.close();
    await world.close();
  });
});

describe('server.drainDelay', () => {
  it('while it lasts, requests and connections are taken, and each answer ends its connection', async () => {
    const world = await startWorld({ drainDelay: '2s' });
    const waiting = new RawConnection(world.port);
    const used = ask(new RawConnection(world.port));
    expect((await used.response()).header('connection')).toBe('keep-alive');
    let finish: (() => unknown) | undefined;
    world.downstream.answer = (_req, res) => {
      finish = () => res.end('late');
    };
    const underWay = ask(new RawConnection(world.port));
    await until('it is under way', () => finish !== undefined);
    const stopped = world.gateway.stop();
    expect((await fetch(`${world.managementUrl}/readyz`)).status).toBe(503);
    finish?.();
    world.downstream.reset();
    const responses = [
      await underWay.response(),
      await ask(used, '/openapi.json').response(),
      await ask(waiting, '/me').response(),
      await ask(new RawConnection(world.port)).response(),
    ];
    expect(responses.map(({ status, header }) => [status, header('connection')])).toEqual([
      [200, 'close'],
      [200, 'close'],
      [401, 'close'],
      [200, 'close'],
    ]);
    await Promise.all([underWay, used, waiting].map((connection) => connection.untilClosed()));
    await stopped;
    await world.close();
  });
});

describe.each([
  { listener: 'TCP', certificate: undefined },
  { listener: 'TLS', certificate: selfSigned('localhost') },
])('what is under way over $listener when the gateway stops', ({ certificate }) => {
  it('an idle connection is left alone while it lasts, and then closed in good order', async () => {
    const world = await startWorld({ drainDelay: '1500ms' }, certificate);
    const idle = ask(new RawConnection(world));
    await idle.response();
    const broken: string[] = [];
    idle.socket.on('error', ({ message }) => broken.push(message));
    const stopped = world.gateway.stop();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(idle.isClosed).toBe(false);
    await idle.untilClosed();
    await stopped;
    expect(broken).toEqual([]);
    await world.close();
  });

  it('a request that was on its way when the port closed is answered', async () => {
    const world = await startWorld({ drainDelay: '1s', drainTimeout: '20s' }, certificate);
    const stopped = world.gateway.stop();
    const late = new RawConnection(world);
    const slow = new RawConnection(world);
    await Promise.all([late, slow].map(({ socket }) => once(socket, certificate ? 'secureConnect' : 'connect')));
    slow.write('GET /open HTTP/1.1\r\n');
    await until('nobody else can connect', () => refuses(world.port));
    expect((await ask(late).response()).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await slow.write('Host: x\r\n\r\n').response()).status).toBe(200);
    await stopped;
    await world.close();
  });

  it('a request that comes right after the port closed is answered on a connection that was idle long before', async () => {
    const world = await startWorld({ drainDelay: '1500ms' }, certificate);
    const kept = ask(new RawConnection(world));
    await kept.response();
    const stopped = world.gateway.stop();
    await until('nobody else can connect', () => refuses(world.port));
    const { status, header } = await ask(kept).response();
    expect([status, header('connection')]).toEqual([200, 'close']);
    await stopped;
    await world.close();
  });

  it('an answer that is not taken yet is not cut off', async () => {
    const world = await startWorld({ drainDelay: '0s', drainTimeout: '20s' }, certificate);
    world.downstream.answer = (_req, res) => res.end(Buffer.alloc(20_000_000, 'x'));
    const socket = connectTo(world);
    socket.write('GET /open HTTP/1.1\r\nHost: x\r\n\r\n');
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      socket.pause();
    });
    await until('it has begun', () => bytes > 0);
    const stopped = world.gateway.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.removeAllListeners('data');
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.resume();
    await until('all of it came', () => bytes > 20_000_000);
    await stopped;
    await world.close();
  });
});

describe('when the port closes', () => {
  it('connections that still wait to be taken when the port closes are answered', async () => {
    const { server, connections, port } = await startBareServer();
    let waiting: readonly RawConnection[] = [];
    // Runs right before the timer of the delay: the system accepts all of them, and Node takes them one by one.
    setTimeout(() => {
      waiting = Array.from({ length: 20 }, () => ask(new RawConnection(port)));
    }, 50);
    await drain(server, connections, { delayMs: 50, timeoutMs: 20_000 });
    const statuses = await Promise.all(waiting.map(async (connection) => (await connection.response()).status));
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 200));
  });

  it('connections that come later in a turn in which none waited are answered, however short it was', async () => {
    const { server, connections, port } = await startBareServer();
    const late: RawConnection[] = [];
    // Runs after Node took what waited, and before the drain looks how long that turn was: a millisecond longer.
    const comeLate = (): void => {
      late.push(ask(new RawConnection(port)));
      const begin = performance.now();
      while (performance.now() - begin < 1) {
        // Another request would be answered here.
      }
      if (late.length < 5) {
        setImmediate(comeLate);
      }
    };
    setTimeout(() => setImmediate(comeLate), 50);
    await drain(server, connections, { delayMs: 50, timeoutMs: 20_000 });
    const statuses = await Promise.all(late.map(async (connection) => (await connection.response()).status));
    expect(statuses).toEqual(Array.from({ length: 5 }, () => 200));
  });

  it('connections that were idle long before are closed before the time of the others is over, and not cut off', async () => {
    const { server, connections, port } = await startBareServer();
    const kept = Array.from({ length: 3 }, () => ask(new RawConnection(port)));
    await Promise.all(kept.map((connection) => connection.response()));
    expect(await drain(server, connections, { delayMs: 50, timeoutMs: 1_000 })).toBe(0);
  });
});

/** A server that answers everything. */
async function startBareServer(): Promise<HttpServer & { readonly port: number }> {
  const made = createHttpServer(
    (_req, res) => {
      res.end('taken');
    },
    (socket) => socket.destroy(),
  );
  const { port } = await listen(made.server, '127.0.0.1', 0, 'server.port');
  return { ...made, port };
}

function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket
      .once('connect', () => {
        socket.destroy();
        resolve(false);
      })
      .once('error', () => resolve(true));
  });
}
