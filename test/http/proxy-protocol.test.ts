import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ProxyHeaderReader, type HeaderOutcome } from '../../src/http/proxy-header-reader.ts';
import { until } from '../support/gateway-poll.ts';
import { startListenerWorlds } from '../support/listener-worlds.ts';
import { ipv6Block, proxyHeader } from '../support/proxy-header.ts';
import { RawConnection, type RawTarget } from '../support/raw-request.ts';

const server = { proxyProtocol: 'v2', trustedProxies: ['127.0.0.1'], maxConnections: 20, headLimit: '8kb' };
const worlds = await startListenerWorlds({ server });
const REQUEST = 'GET /open HTTP/1.1\r\nHost: x\r\n\r\n';

/** The `X-Forwarded-For` of a request to the downstream. */
function chainOf({ rawHeaders }: { readonly rawHeaders: readonly string[] }): string | undefined {
  return rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'x-forwarded-for') + 1];
}

describe.each(worlds)('a proxy in front that sends version 2, over $listener', ({ listener, world }) => {
  const { downstream } = world;
  afterAll(() => world.close());
  beforeEach(() => downstream.reset());

  function target(preface: Buffer, more: Partial<RawTarget> = {}): RawTarget {
    return { port: world.port, ca: world.ca, preface, ...more };
  }

  async function ask(
    to: RawTarget,
    ...headers: readonly string[]
  ): Promise<{ status: number; address: unknown; chain: string | undefined }> {
    const connection = new RawConnection(to).send('GET /open HTTP/1.1', 'Host: x', ...headers);
    const response = await connection.response();
    connection.close();
    const { clientAddress } = await world.log.of(response.header('x-request-id') ?? null);
    return {
      status: response.status,
      address: clientAddress,
      chain: chainOf(downstream.last),
    };
  }

  it.each([
    { what: 'of IPv4', preface: proxyHeader(), address: '192.0.2.7' },
    {
      what: 'of IPv6',
      preface: proxyHeader({ family: 0x21, block: ipv6Block('20010db8000000000000000000000007') }),
      address: '2001:db8::7',
    },
    {
      what: 'of IPv4 in the form of IPv6',
      preface: proxyHeader({ family: 0x21, block: ipv6Block('00000000000000000000ffffc0000207') }),
      address: '192.0.2.7',
    },
  ])('the address $what is that of the client, in the log and for the downstream', async ({ preface, address }) => {
    expect(await ask(target(preface))).toEqual({ status: 200, address, chain: address });
  });

  it('the client that it names is not believed what it says about where it comes from', async () => {
    const answer = await ask(target(proxyHeader()), 'X-Forwarded-For: 203.0.113.1');
    expect(answer).toEqual({ status: 200, address: '192.0.2.7', chain: '192.0.2.7' });
  });

  it('a client that is a trusted proxy itself is believed', async () => {
    const block = Buffer.from([127, 0, 0, 1, 127, 0, 0, 1, 0, 1, 0, 1]);
    const answer = await ask(target(proxyHeader({ block })), 'X-Forwarded-For: 203.0.113.1');
    expect(answer).toEqual({ status: 200, address: '203.0.113.1', chain: '203.0.113.1, 127.0.0.1' });
  });

  it('its own connections, such as health checks, keep its address', async () => {
    const preface = proxyHeader({ command: 0x20, family: 0, block: Buffer.alloc(0) });
    expect(await ask(target(preface))).toEqual({ status: 200, address: '127.0.0.1', chain: '127.0.0.1' });
  });

  it('each request of a connection has the same client, also behind an offer of another protocol', async () => {
    const connection = new RawConnection(target(proxyHeader()));
    for (const more of [[], ['Connection: Upgrade', 'Upgrade: h2c'], []]) {
      connection.send('GET /open HTTP/1.1', 'Host: x', ...more);
      expect((await connection.response()).status).toBe(200);
    }
    expect(downstream.requests.map(chainOf)).toEqual(Array(3).fill('192.0.2.7'));
    connection.close();
  });

  it('bytes that are no request are answered, and written down with the address of the client', async () => {
    const connection = new RawConnection(target(proxyHeader())).write('GARBAGE\r\n\r\n');
    const response = await connection.response();
    const { clientAddress } = await world.log.of(response.header('x-request-id') ?? null);
    expect([response.status, clientAddress]).toEqual([400, '192.0.2.7']);
    connection.close();
  });

  it('a header that comes byte by byte is read, and nothing behind it is lost', async () => {
    const connection = new RawConnection({ port: world.port });
    const bytes = Buffer.concat([proxyHeader(), Buffer.from(listener === 'TCP' ? REQUEST : '')]);
    for (const byte of bytes) {
      connection.write(Buffer.from([byte]));
      await nextTurn();
    }
    if (listener === 'TCP') {
      expect((await connection.response()).status).toBe(200);
    }
    expect(connection.isClosed).toBe(false);
    connection.close();
  });

  it('a body that comes with the header is not lost, however large', async () => {
    const body = Buffer.alloc(3_000_000, 'x');
    const head = `PUT /open HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    const requests = Buffer.concat([Buffer.from(head), body, Buffer.from(REQUEST)]);
    const connection =
      listener === 'TCP'
        ? new RawConnection(target(Buffer.concat([proxyHeader(), requests])))
        : new RawConnection(target(proxyHeader())).write(requests);
    expect([(await connection.response()).status, (await connection.response()).status]).toEqual([200, 200]);
    expect(downstream.requests[0]?.body.length).toBe(body.length);
    connection.close();
  });

  it.each([
    { what: 'a peer that is not trusted, with a header', preface: proxyHeader(), localAddress: '127.0.0.2' },
    { what: 'a peer that is not trusted, without one', preface: Buffer.from(REQUEST), localAddress: '127.0.0.2' },
    { what: 'a request without a header', preface: Buffer.from(REQUEST) },
    { what: 'a header of version 1', preface: Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.9 56324 443\r\n') },
    { what: 'a header of an unspecified client', preface: proxyHeader({ family: 0, block: Buffer.alloc(0) }) },
    { what: 'a header of a Unix socket', preface: proxyHeader({ family: 0x31, block: Buffer.alloc(216) }) },
    { what: 'a header that is too long', preface: proxyHeader({ length: 0xffff }) },
    { what: 'a header without its last bytes', preface: proxyHeader({ length: 200 }), end: true },
    { what: 'the beginning of a header', preface: proxyHeader().subarray(0, 9), end: true },
    { what: 'nothing', preface: Buffer.alloc(0), end: true },
  ])('a connection with $what is closed without a word', async ({ preface, localAddress, end }) => {
    const connection = new RawConnection({ port: world.port, preface, localAddress });
    if (end === true) {
      connection.socket.end();
    }
    await until('the connection is gone', () => connection.isGone);
    expect([connection.received, downstream.requests]).toEqual(['', []]);
  });

  it('two headers are one too many', async () => {
    const connection = new RawConnection({ port: world.port, preface: Buffer.concat([proxyHeader(), proxyHeader()]) });
    await connection.untilClosed();
    expect([connection.received.startsWith('HTTP/1.1 2'), downstream.requests]).toEqual([false, []]);
    connection.close();
  });

  it('what is refused is told once a minute, with the address and what to do', async () => {
    const told = world.log.lines.filter(({ msg }) => msg === 'connections are refused');
    expect(told.map(({ level, reason, connections }) => [level, reason, connections])).toEqual(
      expect.arrayContaining([
        ['warn', expect.stringContaining('did not come from server.trustedProxies'), 1],
        ['warn', expect.stringContaining('did not begin with a PROXY protocol header'), 1],
      ]),
    );
    expect(
      told.every(({ remedy, clientAddress }) => typeof remedy === 'string' && typeof clientAddress === 'string'),
    ).toBe(true);
    world.advance(60_001);
    await new RawConnection({ port: world.port, localAddress: '127.0.0.2' }).untilClosed();
    const { connections } = world.log.lines.findLast(({ msg }) => msg === 'connections are refused') ?? {};
    // Two tests had such a connection, and the line about the first one is written.
    expect(connections).toBe(2);
  });

  it('a handshake that fails is told with the address of the client that the proxy names', async () => {
    world.advance(60_001);
    // After the header a byte that begins no handshake, and no request either.
    const connection = new RawConnection({ port: world.port, preface: proxyHeader() }).write('\0\r\n\r\n');
    await until('it is refused or answered', () => connection.isClosed || connection.received !== '');
    connection.close();
    const { clientAddress } = world.log.lines.findLast(({ reason }) => reason === 'a TLS handshake failed') ?? {};
    expect(clientAddress).toBe(listener === 'TCP' ? undefined : '192.0.2.7');
  });

  it('connections without a whole header count as connections, and make room again', async () => {
    const waiting = Array.from(
      { length: 20 },
      () => new RawConnection({ port: world.port, preface: proxyHeader().subarray(0, 5) }),
    );
    await Promise.all(waiting.map(({ socket }) => once(socket, 'connect')));
    const refused = new RawConnection({ port: world.port, preface: proxyHeader() });
    await refused.untilClosed();
    waiting.forEach((connection) => connection.close());
    await until('there is room', async () => {
      const connection = new RawConnection(target(proxyHeader())).send('GET /open HTTP/1.1', 'Host: x');
      await until('it is answered or closed', () => connection.isClosed || connection.received !== '');
      connection.close();
      return connection.received.startsWith('HTTP/1.1 200');
    });
  });
});

describe('a header that does not come', () => {
  it('is waited for only so long, however slowly its bytes come', async () => {
    const outcomes: HeaderOutcome[] = [];
    const listener = createServer((socket) => {
      const reader = new ProxyHeaderReader(
        socket,
        (outcome) => {
          outcomes.push(outcome);
          socket.destroy();
        },
        100,
      );
      void reader;
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
    const dripping = setInterval(() => socket.write(Buffer.from([13])), 40);
    await until('it is given up', () => outcomes.length > 0);
    clearInterval(dripping);
    expect(outcomes).toEqual([{ fault: 'late proxy header' }]);
    socket.destroy();
    listener.close();
  });
});
