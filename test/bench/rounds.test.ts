import { describe, expect, it } from '@jest/globals';
import { QuietRounds } from '../../bench/measure/quiet-rounds.ts';
import { alternate, measureRounds, sideBySide, type Pacing } from '../../bench/measure/rounds.ts';
import type { MeasuredServer } from '../../bench/servers/server.ts';

const PACE = { rounds: 2, seconds: 4, warmUpSeconds: 15, leadInSeconds: 1 };

let lastPid = 0;

/** A server that only says when it is waited for and whether it lives. */
function createServer(name: string, more: Partial<MeasuredServer> = {}): MeasuredServer {
  const process = {
    name,
    pid: (lastPid += 1),
    startedAt: 0,
    output: () => Promise.resolve(''),
    demandAlive: () => {},
    stop: () => Promise.resolve(),
  };
  return { name, origin: 'http://127.0.0.1:1', process, ...more };
}

/** Writes down the load on each server, with its seconds, on a machine of which neighbours take a share of each load. */
function createBench({ pace = PACE, shares = [] as readonly number[] } = {}) {
  const loads: string[] = [];
  const settled: number[] = [];
  const times = { busy: 0, stolen: 0 };
  const quiet = new QuietRounds({
    budget: { reserve: 1_000, perSecond: 0 },
    tell: () => {},
    readTimes: () => ({ ...times }),
    pause: () => Promise.resolve(),
  });
  const pacing: Pacing = {
    pace,
    quiet,
    settle: async (pid) => {
      settled.push(pid);
    },
  };
  const measure = async ({ name }: MeasuredServer, seconds: number): Promise<string> => {
    const share = shares[loads.length] ?? 0;
    times.busy += 100 - share;
    times.stolen += share;
    return `${loads.push(`${name} ${seconds} s`)}: ${name}`;
  };
  return { pacing, measure, loads, settled };
}

const gateway = createServer('gateway');
const bare = createServer('bare');
const express = createServer('express');

function leadInAndRound(name: string): string[] {
  return [`${name} 1 s`, `${name} 4 s`];
}

describe('rounds in turn', () => {
  it('begin for each server with load that does not count, and so with the same warmth', async () => {
    const { pacing, measure, loads } = createBench();
    await alternate(gateway, [bare, express], pacing, measure);
    const turns = ['bare', 'gateway', 'express', 'gateway', 'bare', 'gateway', 'express', 'gateway'];
    expect(loads).toEqual(['gateway 15 s', 'bare 15 s', 'express 15 s', ...turns.flatMap(leadInAndRound)]);
  });

  it('give what the counted load showed', async () => {
    const { pacing, measure } = createBench();
    expect(await alternate(gateway, [bare], pacing, measure)).toEqual([
      { peer: bare, peers: ['4: bare', '8: bare'], ours: ['6: gateway', '10: gateway'] },
    ]);
  });

  it('have no load before them that is not wanted', async () => {
    const { pacing, measure, loads } = createBench({
      pace: { ...PACE, rounds: 1, warmUpSeconds: 0, leadInSeconds: 0 },
    });
    await alternate(gateway, [bare], pacing, measure);
    expect(loads).toEqual(['bare 4 s', 'gateway 4 s']);
  });

  it('have no warm-up for a server in native code, but load before each', async () => {
    const { pacing, measure, loads } = createBench({ pace: { ...PACE, rounds: 1 } });
    await alternate(gateway, [createServer('haproxy', { isNative: true })], pacing, measure);
    expect(loads).toEqual(['gateway 15 s', 'haproxy 1 s', 'haproxy 4 s', 'gateway 1 s', 'gateway 4 s']);
  });

  it('wait until all servers are idle before each load', async () => {
    const { pacing, measure, loads, settled } = createBench();
    await alternate(gateway, [bare], pacing, measure);
    expect(settled).toEqual(loads.flatMap(() => [gateway.process.pid, bare.process.pid]));
  });

  it.each([
    { what: 'not made again for what disturbed the load before them', shares: [0, 0, 50, 0, 50, 0], again: 0 },
    { what: 'made again, with the load before them, where they were disturbed', shares: [0, 0, 0, 50, 0, 0], again: 1 },
  ])('are $what', async ({ shares, again }) => {
    const { pacing, measure, loads } = createBench({ pace: { ...PACE, rounds: 1 }, shares });
    await alternate(gateway, [bare], pacing, measure);
    const pairs = Array.from({ length: 1 + again }, () => ['bare', 'gateway'].flatMap(leadInAndRound));
    expect(loads).toEqual(['gateway 15 s', 'bare 15 s', ...pairs.flat()]);
  });
});

describe('rounds of one server', () => {
  it('are as many, and as warm, as in turn', async () => {
    const { pacing, measure, loads } = createBench();
    const rounds = await measureRounds(gateway, pacing, measure);
    expect(loads).toEqual(['gateway 15 s', ...['gateway', 'gateway'].flatMap(leadInAndRound)]);
    expect(rounds).toEqual(['3: gateway', '5: gateway']);
  });
});

describe('rounds at the same time', () => {
  it('have no load before each where there is one peer, since nobody waits', async () => {
    const { pacing, measure, loads } = createBench();
    await sideBySide(gateway, [bare], pacing, measure);
    expect(loads).toEqual(['gateway 15 s', 'bare 15 s', 'bare 4 s', 'gateway 4 s', 'bare 4 s', 'gateway 4 s']);
  });

  it('have some load on both before each where a peer waits for the rounds of another', async () => {
    const { pacing, measure, loads } = createBench({ pace: { ...PACE, rounds: 1 } });
    await sideBySide(gateway, [bare, { ...bare, name: 'other' }], pacing, measure);
    const pairs = ['bare', 'other'].flatMap((name) => [`${name} 1 s`, 'gateway 1 s', `${name} 4 s`, 'gateway 4 s']);
    expect(loads).toEqual(['gateway 15 s', 'bare 15 s', 'other 15 s', ...pairs]);
  });
});
