import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { findApp } from '../../dev/emulator/world-model.ts';
import { HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { createCredentialSource, type CredentialSource } from '../../src/exchange/client-credential.ts';
import { ExchangeRefused } from '../../src/exchange/exchange-refused.ts';
import type { Refusal } from '../../src/exchange/refusal.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createEventLog } from '../../src/telemetry/events.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { selfSigned } from '../support/token-certificate.ts';
import { openDesk, type Desk } from '../support/token-exchange.ts';

const KEY = 'identity.credential.secretFile';
const AUDIENCE = 'api://AzureADTokenExchange';

const emulator = await startEmulator();
const folder = mkdtempSync(join(tmpdir(), 'client-secret-'));
const desks: Desk[] = [];
afterAll(async () => {
  for (const desk of desks) {
    desk.close();
  }
  rmSync(folder, { recursive: true });
  await emulator.close();
});

const OLD = 'old~secret.of_a-registration';
const NEW = 'new~secret.of_a-registration';
const registration = findApp(emulator.world, 'gateway');
let file: string;
const log: Record<string, unknown>[] = [];
const logger = createLogger({ write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) });
beforeEach(() => {
  accept(OLD, NEW);
  log.length = 0;
  file = join(folder, randomUUID());
});

/** Lets Entra take these secrets and no others. */
function accept(...secrets: string[]): void {
  registration?.secrets.splice(0, Infinity, ...secrets);
}

/** Makes exchanges with the secret of the file; each gives a refusal, or `undefined` for a token. */
function exchanges(source: CredentialSource = openSource()): () => Promise<Refusal | undefined> {
  const desk = openDesk({ origin: emulator.origin, credential: source });
  desks.push(desk);
  const request = {
    assertion: emulator.issueAccessToken({ user: 'adele' }),
    tenantId: HOME_TENANT_ID,
    scopes: ['https://graph.microsoft.com/User.Read'],
    claims: '',
    handlesClaims: false,
    correlationId: randomUUID(),
  };
  return async () => {
    try {
      await desk.client.onBehalfOf(request);
      return undefined;
    } catch (error) {
      if (error instanceof ExchangeRefused) {
        return error.refusal;
      }
      throw error;
    }
  };
}

function openSource(): CredentialSource {
  return createCredentialSource({ secretFile: file }, AUDIENCE, {
    log: logger,
    recordEvent: createEventLog(logger, undefined),
  });
}

describe('a client secret in a file', () => {
  it('proves the gateway, without the line break at its end', async () => {
    writeFileSync(file, `${OLD}\n`);
    expect(await exchanges()()).toBeUndefined();
  });

  it('is used for the next exchange when it was replaced, and the log has the event', async () => {
    writeFileSync(file, OLD);
    const exchange = exchanges();
    await exchange();
    accept(NEW);
    writeFileSync(file, `${NEW}\n`);
    const start = emulator.exchanges.length;
    expect([await exchange(), emulator.exchanges.length - start]).toEqual([undefined, 1]);
    expect(log).toMatchObject([{ level: 'info', event: 'credential.changed', key: KEY }]);
  });

  it.each([
    ['is gone', () => rmSync(file), 'the file cannot be read (ENOENT)'],
    ['is empty', () => writeFileSync(file, ''), 'the file is empty'],
  ])('stays in use while its file %s, and the log says once what to do', async (_what, damage, reason) => {
    writeFileSync(file, OLD);
    const exchange = exchanges();
    const refusals = [await exchange()];
    damage();
    refusals.push(await exchange(), await exchange());
    expect(refusals.filter(Boolean)).toEqual([]);
    expect(log).toMatchObject([{ level: 'warn', key: KEY, reason, remedy: expect.stringContaining(KEY) }]);
  });

  it('is read before the first exchange, so that its file may go', async () => {
    writeFileSync(file, OLD);
    const source = openSource();
    await until('it was read', async () => (await source()).clientSecret === OLD);
    rmSync(file);
    expect(await exchanges(source)()).toBeUndefined();
  });

  it('that was never there is named by its key, and Entra is not asked', async () => {
    const start = emulator.exchanges.length;
    expect(await exchanges()()).toMatchObject({
      class: 'misconfigured',
      error: `${KEY}: the file cannot be read (ENOENT)`,
    });
    expect(emulator.exchanges).toHaveLength(start);
  });

  it('stands in no line of the log, and neither does its path', async () => {
    writeFileSync(file, OLD);
    const exchange = exchanges();
    await exchange();
    writeFileSync(file, NEW);
    await exchange();
    writeFileSync(file, `${NEW}\n${OLD}`);
    await exchange();
    expect(log).toHaveLength(2);
    expect(JSON.stringify(log)).not.toMatch(new RegExp(`${OLD}|${NEW}|${folder}`));
  });
});

/** A source whose file is replaced right after it was asked for the first time. */
function replacedOnTheWay(): CredentialSource {
  const source = openSource();
  let isFirst = true;
  return async () => {
    const credential = await source();
    if (isFirst) {
      isFirst = false;
      writeFileSync(file, NEW);
    }
    return credential;
  };
}

describe('a client secret that Entra refuses', () => {
  it('after a new one arrived: the exchange is tried once more with the new one, and succeeds', async () => {
    writeFileSync(file, `${OLD}\n`);
    accept(NEW);
    const start = emulator.exchanges.length;
    const refusal = await exchanges(replacedOnTheWay())();
    expect([refusal, emulator.exchanges.slice(start).map(({ errorCode }) => errorCode)]).toEqual([
      undefined,
      [7000215, undefined],
    ]);
  });

  it('costs one request while the file is the same', async () => {
    writeFileSync(file, OLD);
    accept(NEW);
    const start = emulator.exchanges.length;
    expect([(await exchanges()())?.codes, emulator.exchanges.length - start]).toEqual([[7000215], 1]);
  });
});

describe('a certificate', () => {
  it('that was replaced is an event of the log, and one that cannot be used is told', async () => {
    const paths = { cert: `${file}.pem`, key: `${file}.key` };
    const write = (pair: typeof paths): void => {
      writeFileSync(paths.cert, pair.cert);
      writeFileSync(paths.key, pair.key);
    };
    write(selfSigned('old'));
    const source = createCredentialSource({ certificate: paths }, AUDIENCE, {
      log: logger,
      recordEvent: createEventLog(logger, undefined),
    });
    await source();
    write(selfSigned('next'));
    await source();
    rmSync(paths.key);
    await source();
    expect(log).toMatchObject([
      { level: 'info', event: 'credential.changed', key: 'identity.credential.certificate' },
      { level: 'warn', reason: 'identity.credential.certificate cannot be read (ENOENT)' },
    ]);
  });
});

describe('a gateway whose client secret stands in a file', () => {
  it('goes on with the new one, without a restart', async () => {
    writeFileSync(file, OLD);
    const world = await startGatewayWorld({ emulator, identity: { credential: { secretFile: file } } });
    try {
      const call = (): Promise<Response> => world.call('/me', { token: emulator.issueAccessToken({ user: 'adele' }) });
      const before = await call();
      accept(NEW);
      writeFileSync(file, NEW);
      const after = await call();
      expect([before.status, after.status]).toEqual([200, 200]);
      expect(world.log.lines).toContainEqual(expect.objectContaining({ event: 'credential.changed', key: KEY }));
      expect(world.log.text).not.toMatch(new RegExp(`${OLD}|${NEW}`));
    } finally {
      await world.close();
    }
  });
});
