import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { CredentialSettings } from '../../src/exchange/client-credential.ts';
import { watchCredential } from '../../src/exchange/watch-credential.ts';
import { until } from '../support/gateway-poll.ts';
import { selfSigned } from '../support/token-certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'watch-credential-'));
afterAll(() => rmSync(folder, { recursive: true }));

const files = { cert: join(folder, 'cert'), key: join(folder, 'key') };
const federatedTokenFile = join(folder, 'token');
const { cert, key } = selfSigned('gateway');
writeFileSync(files.cert, cert);
writeFileSync(files.key, key);
writeFileSync(federatedTokenFile, `e30.${Buffer.from('{"exp":1800000000}').toString('base64url')}.`);

/** The certificates of the tests end on 2045-01-01. */
const END_MS = Date.UTC(2045, 0, 1);
const DAY_MS = 86_400_000;

describe('a gateway whose credential ends', () => {
  it.each<[string, CredentialSettings, number]>([
    ['identity.credential.certificate', { certificate: files }, END_MS - 20 * DAY_MS],
    ['identity.credential.federatedTokenFile', { federatedTokenFile }, 1_800_000_060_000],
  ])(
    'says so of %s once, with what to do, and says it later when there was time before',
    async (name, settings, at) => {
      let now = at - 100 * DAY_MS;
      const lines: object[] = [];
      const stop = watchCredential(settings, { warn: (line: object) => void lines.push(line) }, () => now, 5);
      await new Promise((resolve) => setImmediate(resolve));
      const before = lines.length;
      now = at;
      await until('it is told', () => lines.length > 0);
      stop();
      expect([before, lines]).toEqual([0, [expect.objectContaining({ key: name, remedy: expect.any(String) })]]);
    },
  );
});
