import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../support/command-program.ts';
import { startCommandWorld } from '../support/command-world.ts';
import { proxyHeader } from '../support/proxy-header.ts';
import { RawConnection } from '../support/raw-request.ts';
import { selfSigned } from '../support/token-certificate.ts';

// The program is compiled first.
jest.setTimeout(120_000);

const world = await startCommandWorld();
const folder = mkdtempSync(join(tmpdir(), 'listener-workers-'));
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const tls = { cert: join(folder, 'tls.pem'), key: join(folder, 'tls.key') };
const certificates = [selfSigned('localhost'), selfSigned('localhost')] as const;

function write({ cert, key }: (typeof certificates)[number]): void {
  writeFileSync(tls.cert, cert);
  writeFileSync(tls.key, key);
}

describe('two workers behind a proxy that sends version 2, over TLS', () => {
  it('both know the client, and both take a new certificate', async () => {
    write(certificates[0]);
    const more = { tls, proxyProtocol: 'v2', trustedProxies: ['127.0.0.1'] };
    const { run, url } = await world.serve({ workers: 2, more });
    const port = Number(new URL(url).port);
    const lines = (): Record<string, unknown>[] =>
      run
        .out()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const ask = async (ca: string): Promise<number> => {
      const connection = new RawConnection({ port, ca, preface: proxyHeader() }).send('GET /me HTTP/1.1', 'Host: x');
      const { status } = await connection.response();
      connection.close();
      return status;
    };
    expect([new URL(url).protocol, await ask(certificates[0].cert), await ask(certificates[0].cert)]).toEqual([
      'https:',
      401,
      401,
    ]);
    const requests = await until(() => {
      const found = lines().filter(({ msg }) => msg === 'request');
      return found.length === 2 ? found : undefined;
    });
    expect(requests.map(({ clientAddress }) => clientAddress)).toEqual(['192.0.2.7', '192.0.2.7']);
    expect(new Set(requests.map(({ worker }) => worker)).size).toBe(2);
    write(certificates[1]);
    await until(() => (lines().filter(({ event }) => event === 'credential.changed').length === 2 ? true : undefined));
    expect([await ask(certificates[1].cert), await ask(certificates[1].cert)]).toEqual([401, 401]);
  });
});
