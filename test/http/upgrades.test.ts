import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';
import { takeUpgrades } from '../../src/http/upgrades.ts';
import { RawConnection } from '../support/raw-request.ts';
import { makeAuthority, readCertificate, type CertificateAuthority } from '../support/tls-certificates.ts';
import { ASK_FOR_WEBSOCKET } from '../support/websocket-echo.ts';

const folder = mkdtempSync(join(tmpdir(), 'upgrades-'));
afterAll(() => rm(folder, { recursive: true }));

it('a connection that offers another protocol again and again keeps nothing of it', async () => {
  const listeners: number[] = [];
  const server = createHttpServer(({ socket }, res) => {
    listeners.push(socket.listenerCount('error') + socket.listenerCount('close'));
    res.end();
  });
  takeUpgrades(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = new RawConnection((server.address() as AddressInfo).port);
  for (let count = 0; count < 20; count += 1) {
    connection.send('GET /x HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: h2c');
    await connection.response();
  }
  connection.close();
  server.close();
  expect(listeners.at(-1)).toBe(listeners[0]);
});

const made = makeAuthority(folder, 'ours');

(made ? describe : describe.skip)('over TLS (certificate made with openssl)', () => {
  const authority = made as CertificateAuthority;

  it.each([
    ['an offer of another protocol is an ordinary request', ['Host: x', 'Connection: Upgrade, close', 'Upgrade: h2c']],
    ['a request for a WebSocket is one whose answer closes', ASK_FOR_WEBSOCKET],
  ])('%s', async (_what, lines) => {
    const server = createServer(readCertificate(authority.issue('localhost')), (req, res) =>
      res.end(`${req.method} ${req.url}`),
    );
    takeUpgrades(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: readCertificate({ cert: authority.ca, key: authority.ca }).cert,
    });
    socket.write(`GET /x HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const answer = await text(socket);
    server.close();
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*GET \/x/);
  });
});
