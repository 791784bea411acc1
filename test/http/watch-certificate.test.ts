import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { watchCertificate } from '../../src/http/watch-certificate.ts';
import { until } from '../support/gateway-poll.ts';
import { selfSigned } from '../support/token-certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'watch-certificate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const files = { cert: join(folder, 'server.pem'), key: join(folder, 'server.key') };
const { cert, key } = selfSigned('api.contoso.com');
writeFileSync(files.key, key);

/** The certificates of the tests end on 2045-01-01. */
const END_MS = Date.UTC(2045, 0, 1);
const DAY_MS = 86_400_000;

describe('a listener whose certificate ends', () => {
  it('says so with its key and what to do, once its file can be read and it is time', async () => {
    let now = END_MS - 100 * DAY_MS;
    const lines: object[] = [];
    writeFileSync(files.cert, 'no certificate');
    const end = watchCertificate(files, { warn: (line: object) => void lines.push(line) }, () => now, 5);
    writeFileSync(files.cert, cert);
    await new Promise((resolve) => setImmediate(resolve));
    const before = lines.length;
    now = END_MS - 20 * DAY_MS;
    await until('it is told', () => lines.length > 0);
    end();
    const told = { key: 'server.tls.cert', daysLeft: 20, remedy: expect.stringContaining('no restart') };
    expect([before, lines]).toEqual([0, [expect.objectContaining(told)]]);
  });
});
