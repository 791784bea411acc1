import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MAIL_AGENT_ID } from '../../dev/emulator/demo-agents.ts';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { nameTokens, type DownstreamScopes } from '../../src/session/token-source.ts';
import { GRAPH, openDesk, openSession, type Desk } from '../support/token-exchange.ts';

const MAIL: DownstreamScopes = {
  ...GRAPH,
  agent: MAIL_AGENT_ID,
  key: nameTokens('graph', GRAPH.scopes, MAIL_AGENT_ID),
};

let emulator: Emulator;
let desk: Desk;
beforeEach(async () => {
  emulator = await startEmulator();
  desk = openDesk({ origin: emulator.origin });
});
afterEach(async () => {
  desk.close();
  await emulator.close();
});

/** Exchanges a new token of Adele as the agent: the downstream token, or the code of the failure. */
async function exchange(): Promise<string> {
  const result = await desk.acquire(openSession(emulator.issueAccessToken({ user: 'adele' })), MAIL);
  return typeof result === 'string' ? 'token' : result.code;
}

/** Who asked Entra since, and whether it was refused. */
function asked(): [string, number | undefined][] {
  return emulator.exchanges
    .splice(0)
    .map(({ clientId, errorCode }) => [clientId === GATEWAY_CLIENT_ID ? 'blueprint' : 'agent', errorCode]);
}

describe('a client assertion that Entra does not accept any more', () => {
  it('is replaced within the same exchange', async () => {
    const before = [await exchange(), asked()];
    // Nothing that was signed before counts from now on.
    await emulator.rollKeys({ keepOld: false });
    const after = [await exchange(), asked()];
    expect(before).toEqual([
      'token',
      [
        ['blueprint', undefined],
        ['agent', undefined],
      ],
    ]);
    expect(after).toEqual([
      'token',
      [
        ['agent', 700027],
        ['blueprint', undefined],
        ['agent', undefined],
      ],
    ]);
  });

  it('is replaced once for all exchanges that meet that', async () => {
    await exchange();
    await emulator.rollKeys({ keepOld: false });
    asked();
    const results = await Promise.all(Array.from({ length: 20 }, exchange));
    expect([new Set(results), asked().filter(([who]) => who === 'blueprint').length]).toEqual([new Set(['token']), 1]);
  });

  it('is replaced once a minute, should it be refused again and again', async () => {
    await exchange();
    for (const expected of ['token', 'gateway_misconfigured', 'gateway_misconfigured']) {
      await emulator.rollKeys({ keepOld: false });
      expect(await exchange()).toBe(expected);
    }
    desk.clock.advance(61_000);
    expect(await exchange()).toBe('token');
  });
});

describe('an assertion that cannot be had', () => {
  it('is asked for once a second, whoever wants it', async () => {
    emulator.switches.secretExpired = true;
    const results = [await exchange(), await exchange(), await exchange()];
    expect([new Set(results), asked()]).toEqual([new Set(['gateway_misconfigured']), [['blueprint', 7000222]]]);
    desk.clock.advance(1_001);
    emulator.resetSwitches();
    expect(await exchange()).toBe('token');
  });

  it('does not keep the gateway from Entra: its failures are those of one caller', async () => {
    emulator.switches.entra = 'json500';
    for (let time = 0; time < 12; time += 1) {
      await exchange();
      desk.clock.advance(1_001);
    }
    emulator.resetSwitches();
    expect(await desk.acquire(openSession(emulator.issueAccessToken({ user: 'adele' })), GRAPH)).toEqual(
      expect.any(String),
    );
  });
});
