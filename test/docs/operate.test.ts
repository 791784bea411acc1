import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EVENTS } from '../../src/telemetry/events.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { readPage } from '../support/metrics-page.ts';

const page = readFileSync(new URL('../../docs/operate.md', import.meta.url), 'utf8');

/** The rows of the table whose header begins with a word: their cells. */
function rowsOf(header: string): string[][] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${header} `));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

/** The words of a cell that stand in backquotes. */
function quoted(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

// Nobody has to be there: what is known of Redis is known without it.
const world = await startGatewayWorld({ tokenCache: { redis: { url: 'redis://127.0.0.1:1' } } });
afterAll(() => world.close());

async function readMetrics(): Promise<string> {
  return (await fetch(`${world.managementUrl}/metrics`)).text();
}

describe('the table of metrics in docs/operate.md', () => {
  it('has the name, type and labels of every metric of our own, and no other', async () => {
    await world.call('/me', { token: world.token('adele') });
    await until('the request is counted', async () => (await readMetrics()).includes('status="200"'));
    const own = [...readPage(await readMetrics())].filter(([name]) => name.startsWith('gateway_'));
    const documented = rowsOf('metric').map(
      ([name, type, labels]) => `${quoted(name)[0]} ${type} ${quoted(labels).join()}`,
    );
    const told = own.map(([name, { type, labels }]) => `${name} ${type} ${labels.join()}`);
    expect(documented.toSorted()).toEqual(told.toSorted());
  });
});

describe('the table of events in docs/operate.md', () => {
  it('has the name, level and members of every event, and no other', () => {
    const documented = rowsOf('event').map(([name, level, fields]) => [quoted(name)[0], level, quoted(fields)]);
    expect(documented).toEqual(Object.entries(EVENTS).map(([name, { level, fields }]) => [name, level, [...fields]]));
  });
});
