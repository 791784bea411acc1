import { once } from 'node:events';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Dispatcher } from 'undici';
import { Downstream } from '../../src/forward/downstream.ts';
import type { TlsSettings } from '../../src/forward/tls-files.ts';
import { makeAuthority, readCertificate, type CertificateAuthority } from '../support/tls-certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'downstream-tls-'));
afterAll(() => rm(folder, { recursive: true }));

const ours = makeAuthority(folder, 'ours');
const theirs = makeAuthority(folder, 'theirs');

function ask(baseUrl: string, tls: TlsSettings | undefined, more: { maxAge?: number } = {}) {
  const downstream = new Downstream(
    'api',
    {
      baseUrl,
      tls,
      timeout: { connect: 5_000, response: 9_000, idle: 9_000 },
      connections: { maxAge: more.maxAge },
      headLimit: 16_384,
    },
    Date.now,
  );
  const get = async (): Promise<string> => {
    try {
      const { body } = await Dispatcher.prototype.request.call(downstream.pool, { method: 'GET', path: '/' });
      return await body.text();
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    }
  };
  return { get, destroy: () => downstream.destroy() };
}

async function askOnce(baseUrl: string, tls: TlsSettings | undefined): Promise<string> {
  const api = ask(baseUrl, tls);
  const answer = await api.get();
  await api.destroy();
  return answer;
}

(ours && theirs ? describe : describe.skip)('TLS with a downstream (certificates made with openssl)', () => {
  const authority = ours as CertificateAuthority;
  const other = theirs as CertificateAuthority;
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close().closeAllConnections()));

  /** Answers with the name in the client's certificate, or that there is none. */
  async function startHttps(clientCa?: string): Promise<number> {
    const demand =
      clientCa === undefined ? {} : { requestCert: true, ca: readCertificate({ cert: clientCa, key: clientCa }).cert };
    const server = createServer({ ...readCertificate(authority.issue('localhost')), ...demand }, (req, res) => {
      const { subject } = (req.socket as TLSSocket).getPeerCertificate();
      res.end(String(subject?.CN ?? 'no certificate'));
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('trusts the authority that gateway.yaml names, and no other then', async () => {
    const baseUrl = `https://localhost:${await startHttps()}`;
    expect(await askOnce(baseUrl, { ca: authority.ca })).toBe('no certificate');
    expect(await askOnce(baseUrl, { ca: other.ca })).toMatch(/UNABLE_TO_(GET_ISSUER_CERT|VERIFY)/);
    expect(await askOnce(baseUrl, undefined)).toMatch(/UNABLE_TO_(GET_ISSUER_CERT|VERIFY)/);
  });

  it.each([
    [undefined, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['localhost', 'no certificate'],
    ['other.example', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('reached by its address, with the server name %s: %s', async (serverName, answer) => {
    const baseUrl = `https://127.0.0.1:${await startHttps()}`;
    expect(await askOnce(baseUrl, { ca: authority.ca, serverName })).toBe(answer);
  });

  it('shows the client certificate where one is asked for', async () => {
    const baseUrl = `https://localhost:${await startHttps(authority.ca)}`;
    const client = authority.issue('gateway');
    expect(await askOnce(baseUrl, { ca: authority.ca, ...client })).toBe('gateway');
    expect(await askOnce(baseUrl, { ca: authority.ca })).toMatch(/CERTIFICATE_REQUIRED|UND_ERR_SOCKET|ECONNRESET/);
    expect(await askOnce(baseUrl, { ca: authority.ca, ...other.issue('stranger') })).toMatch(
      /ALERT|UND_ERR_SOCKET|ECONNRESET/,
    );
  });

  it('takes a new certificate when the files change, and keeps the old one while they do not fit', async () => {
    const baseUrl = `https://localhost:${await startHttps(authority.ca)}`;
    const [first, second] = [authority.issue('first'), authority.issue('second')];
    const files = { cert: join(folder, 'client.pem'), key: join(folder, 'client.key') };
    copyFileSync(first.cert, files.cert);
    copyFileSync(first.key, files.key);
    const tls = { ca: authority.ca, ...files };
    const api = ask(baseUrl, tls, { maxAge: 1 });
    const answers = [await api.get()];
    copyFileSync(second.cert, files.cert);
    await new Promise((resolve) => setTimeout(resolve, 20));
    answers.push(await api.get());
    copyFileSync(second.key, files.key);
    await new Promise((resolve) => setTimeout(resolve, 20));
    answers.push(await api.get());
    await api.destroy();
    expect(answers).toEqual(['first', 'first', 'second']);
  });
});
