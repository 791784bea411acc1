import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlainly } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ListenerTls } from '../../src/http/listener-tls.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { readSeries } from '../support/metrics-page.ts';
import { RawConnection, rawRequest } from '../support/raw-request.ts';
import { EXPIRED, makeTestAuthority, selfSigned, type CertificateFiles } from '../support/token-certificate.ts';
import { ASK_FOR_WEBSOCKET, echoBytes } from '../support/websocket-echo.ts';

const folder = mkdtempSync(join(tmpdir(), 'listener-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const files = { cert: join(folder, 'tls.pem'), key: join(folder, 'tls.key'), clientCa: join(folder, 'front.pem') };

function write({ cert, key }: Partial<CertificateFiles>): void {
  if (cert !== undefined) {
    writeFileSync(files.cert, cert);
  }
  if (key !== undefined) {
    writeFileSync(files.key, key);
  }
}

const first = selfSigned('localhost');
write(first);
const world = await startGatewayWorld({ server: { tls: { cert: files.cert, key: files.key }, maxConnections: 50 } });
const { downstream, port } = world;
afterAll(() => world.close());
beforeEach(() => downstream.reset());

const REQUEST = 'GET /open HTTP/1.1\r\nHost: x\r\n\r\n';

/** Connects without a look at the certificate, and gives the code of the error when that fails. */
async function shake(to: number, options: ConnectionOptions = {}): Promise<TLSSocket | string | undefined> {
  const socket = connect({ port: to, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  try {
    await once(socket, 'secureConnect');
    return socket;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** What a connection is told: the status of an answer, or nothing. */
async function statusOn(to: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = connect({ port: to, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  let received = '';
  socket.on('data', (bytes) => (received += bytes)).on('error', () => undefined);
  socket.write(REQUEST);
  await until('it is answered or closed', () => received.includes('\r\n') || socket.closed);
  socket.destroy();
  return received.slice(0, 'HTTP/1.1 200'.length);
}

/** The metrics page. */
async function readPage(): Promise<string> {
  return (await fetch(`${world.managementUrl}/metrics`)).text();
}

/** What tells the certificate that a listener shows from every other one. */
async function fingerprintOf(): Promise<string> {
  const socket = (await shake(port)) as TLSSocket;
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

describe('a listener that speaks TLS', () => {
  it('names its https address by itself', async () => {
    expect(world.url).toBe(`https://127.0.0.1:${port}`);
    const response = await rawRequest({ port, ca: first.cert }, ['GET /me HTTP/1.1', 'Host: x']);
    expect(response.header('www-authenticate')).toContain(`resource_metadata="https://127.0.0.1:${port}/`);
  });

  it.each<[string, ConnectionOptions, string]>([
    ['TLS 1.3', { minVersion: 'TLSv1.3' }, 'TLSv1.3'],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, 'TLSv1.2'],
  ])('speaks %s', async (_version, options, protocol) => {
    const socket = (await shake(port, options)) as TLSSocket;
    expect(socket.getProtocol()).toBe(protocol);
    socket.destroy();
  });

  it('does not speak TLS 1.1', async () => {
    const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    expect(await shake(port, old)).toMatch(/^ERR_SSL_|^ECONNRESET$/);
  });

  it.each([
    { what: 'HTTP/1.1 of a client that can do both', offer: ['h2', 'http/1.1'], found: 'http/1.1' },
    { what: 'HTTP/1.1 of a client that offers nothing', offer: undefined, found: false },
  ])('speaks $what', async ({ offer, found }) => {
    const socket = (await shake(port, offer && { ALPNProtocols: offer })) as TLSSocket;
    expect(socket.alpnProtocol).toBe(found);
    socket.destroy();
  });

  it('refuses a client that speaks HTTP/2 alone', async () => {
    expect(await shake(port, { ALPNProtocols: ['h2'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });

  it('does not begin a new handshake in TLS 1.2 because the client likes to', async () => {
    const socket = (await shake(port, { maxVersion: 'TLSv1.2' })) as TLSSocket;
    const failed = once(socket, 'error');
    socket.renegotiate({}, () => undefined);
    expect((await failed)[0]).toMatchObject({ code: expect.stringMatching(/NO_RENEGOTIATION|ECONNRESET/) });
    expect(await statusOn(port)).toBe('HTTP/1.1 200');
  });

  it.each([
    ['a request in clear', REQUEST],
    ['a head that is too large, in clear', `GET / HTTP/1.1\r\nA: ${'x'.repeat(100_000)}`],
    ['garbage', '\0\0\0\0GARBAGE\r\n\r\n'],
    ['the beginning of a handshake and then garbage', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001xxxxxxxxxxxx'],
  ])('answers %s with no word in clear', async (_what, bytes) => {
    const connection = new RawConnection(port).write(bytes);
    connection.socket.end();
    await connection.untilClosed();
    expect([connection.received.includes('HTTP'), downstream.requests]).toEqual([false, []]);
  });

  it('says once a minute that handshakes fail, and why', () => {
    const told = world.log.lines.filter(({ reason }) => reason === 'a TLS handshake failed');
    expect(told).toEqual([expect.objectContaining({ level: 'warn', code: expect.stringMatching(/^ERR_/) })]);
  });

  it('survives a record that is none after the handshake', async () => {
    const raw = connectPlainly(port, '127.0.0.1').on('error', () => undefined);
    const socket = connect({ socket: raw, rejectUnauthorized: false }).on('error', () => undefined);
    await once(socket, 'secureConnect');
    raw.write('\u0017\u0003\u0003\u0000\u0010garbagegarbage!!');
    await once(raw, 'close');
    expect(await statusOn(port)).toBe('HTTP/1.1 200');
  });

  it('counts connections without a handshake once, and gives their room back', async () => {
    const idle = Array.from({ length: 25 }, () => new RawConnection(port));
    await Promise.all(idle.map(({ socket }) => once(socket, 'connect')));
    const secure = await Promise.all(Array.from({ length: 20 }, () => shake(port)));
    expect(secure.filter((socket) => typeof socket === 'string')).toEqual([]);
    const more = Array.from({ length: 10 }, () => new RawConnection(port));
    await until('those over the limit are closed', () => more.filter(({ isClosed }) => isClosed).length >= 5);
    [...idle, ...more].forEach((connection) => connection.close());
    secure.forEach((socket) => (socket as TLSSocket).destroy());
    await until('there is room', async () => (await statusOn(port)) === 'HTTP/1.1 200');
  });

  it('closes those without a handshake when it stops, long before their time is over', async () => {
    const own = await startGatewayWorld({
      emulator: world.emulator,
      certificate: first,
      server: { drainTimeout: '10m' },
    });
    const idle = new RawConnection(own.port);
    await once(idle.socket, 'connect');
    expect(await statusOn(own.port)).toBe('HTTP/1.1 200');
    await own.close();
    await idle.untilClosed();
    expect(own.log.lines.filter(({ msg }) => msg === 'connections are refused')).toEqual([]);
  });

  it('passes a WebSocket through', async () => {
    downstream.upgrade = echoBytes;
    const connection = new RawConnection({ port, ca: first.cert }).send(
      'GET /live/open HTTP/1.1',
      ...ASK_FOR_WEBSOCKET,
    );
    await connection.untilReceived('HTTP/1.1 101 ');
    connection.write('hello');
    await connection.untilReceived('hello');
    connection.close();
  });

  it('breaks an answer off whose rest does not come', async () => {
    downstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': 1_000 }).write('begun');
      setImmediate(() => res.destroy());
    };
    const connection = new RawConnection({ port, ca: first.cert }).send('GET /open HTTP/1.1', 'Host: x');
    await connection.untilClosed();
    expect(connection.received.length).toBeLessThan(1_000);
    downstream.reset();
    expect(await statusOn(port)).toBe('HTTP/1.1 200');
  });
});

describe('a certificate on disk', () => {
  it('that is replaced serves the next connections, and the older ones live on', async () => {
    const older = new RawConnection({ port, ca: first.cert }).send('GET /open HTTP/1.1', 'Host: x');
    await older.response();
    const before = await fingerprintOf();
    write(selfSigned('localhost'));
    await until('the new one is shown', async () => (await fingerprintOf()) !== before);
    expect((await older.send('GET /open HTTP/1.1', 'Host: x').response()).status).toBe(200);
    older.close();
    const events = world.log.lines.filter(({ event }) => event === 'credential.changed');
    expect(events).toEqual([expect.objectContaining({ level: 'info', key: 'server.tls' })]);
  });

  const other = selfSigned('localhost');
  it.each<[string, Partial<CertificateFiles>, RegExp]>([
    ['is only half written', { cert: other.cert.slice(0, 300) }, /cert cannot be read as PEM/],
    ['came before its key', { cert: other.cert }, /the key belongs to another certificate/],
    ['is empty', { cert: '' }, /cert cannot be read as PEM/],
    ['has a key that is none', { cert: other.cert, key: other.cert }, /key cannot be read as PEM/],
    ['has expired', selfSigned('localhost', EXPIRED), /the certificate has expired/],
    ['is not valid yet', selfSigned('localhost', ['44', '45']), /the certificate is not valid yet/],
    [
      'has a chain that is cut off',
      { cert: `${other.cert}${first.cert.slice(0, 300)}`, key: other.key },
      /cert cannot/,
    ],
  ])('that %s leaves the old one in place, and the log says what to do', async (_what, pair, reason) => {
    const before = await fingerprintOf();
    const lines = world.log.lines.length;
    write(pair);
    // A look at the files that falls between the writing of one and of the other tells of that, too.
    const news = () =>
      world.log.lines.slice(lines).find((line) => line['key'] === 'server.tls' && reason.test(String(line['reason'])));
    await until(`it is told: ${String(reason)}`, () => news() !== undefined);
    expect(news()).toMatchObject({ level: 'warn', remedy: expect.any(String) });
    expect(await fingerprintOf()).toBe(before);
  });

  it('has its end on the metrics page', async () => {
    const next = selfSigned('localhost', ['25', '40']);
    write(next);
    const series = 'gateway_tls_certificate_expiry_timestamp_seconds';
    await until('it is the one in use', async () => readSeries(await readPage(), series) === Date.UTC(2040, 0) / 1_000);
  });
});

describe('server.tls.clientCa', () => {
  const ours = makeTestAuthority('front authority');
  const next = makeTestAuthority('next authority');
  const certificate = selfSigned('localhost');
  const front = ours.issue('front');
  const server = { tls: files };

  async function start() {
    write(certificate);
    writeFileSync(files.clientCa, ours.ca);
    return startGatewayWorld({ emulator: world.emulator, server });
  }

  it.each<[string, ConnectionOptions, string]>([
    ['one of that authority', front, 'HTTP/1.1 200'],
    ['none', {}, ''],
    ['one of another authority', next.issue('front'), ''],
    ['one that it signed itself', selfSigned('front'), ''],
    ['one of that authority that has expired', ours.issue('front', EXPIRED), ''],
  ])('lets a client with %s in or not: %#', async (_what, options, status) => {
    const own = await start();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await statusOn(own.port, { ...options, maxVersion })).toBe(status);
    }
    expect(own.downstream.requests.length).toBe(status === '' ? 0 : 2);
    const told = own.log.lines.filter(({ msg }) => msg === 'connections are refused');
    expect(told.map(({ listener, reason }) => [listener, reason])).toEqual(
      status === '' ? [['server', expect.stringContaining('did not show a certificate')]] : [],
    );
    await own.close();
  });

  it('is read again, and a session of a client of the old one is not resumed', async () => {
    const own = await start();
    const socket = (await shake(own.port, { ...front, maxVersion: 'TLSv1.2' })) as TLSSocket;
    const session = socket.getSession();
    socket.destroy();
    const resumed = (await shake(own.port, { ...front, maxVersion: 'TLSv1.2', session })) as TLSSocket;
    expect(resumed.isSessionReused()).toBe(true);
    resumed.destroy();
    writeFileSync(files.clientCa, next.ca);
    await until('the new one counts', async () => (await statusOn(own.port, next.issue('front'))) === 'HTTP/1.1 200');
    expect(await statusOn(own.port, { ...front, maxVersion: 'TLSv1.2', session })).toBe('');
    writeFileSync(files.clientCa, 'no certificate');
    await until('it is told', () => own.log.lines.some(({ reason }) => /clientCa cannot be read/.test(String(reason))));
    expect(await statusOn(own.port, selfSigned('public'))).toBe('');
    await own.close();
  });
});

describe('a listener whose files cannot be used when it starts', () => {
  it.each<[string, () => void, RegExp]>([
    ['are gone', () => rmSync(files.cert), /^server\.tls: the files cannot be used \(ENOENT\)$/],
    [
      'do not fit together',
      () => write({ cert: first.cert, key: selfSigned('x').key }),
      /^server\.tls: the key belongs/,
    ],
  ])('says why: they %s', async (_what, spoil, message) => {
    spoil();
    const tls = new ListenerTls({ cert: files.cert, key: files.key }, Date.now);
    await expect(tls.open()).rejects.toThrow(message);
  });

  it('starts with a certificate that has expired, as long as it is told', async () => {
    write(selfSigned('localhost', EXPIRED));
    const tls = new ListenerTls({ cert: files.cert, key: files.key }, Date.now);
    await tls.open();
    expect(tls.expirySeconds).toBe(Date.UTC(2025, 0) / 1_000);
  });
});
