import { Agent, get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/*
 * Opens streams of server-sent events, and once all are open counts what arrives for a time. Writes how many streams were
 * heard of and how many events came.
 *
 * Arguments: the address, the file of the tokens, how many tokens take turns, how many streams, the seconds.
 */

const [url = '', tokensFile = '', users, streams, seconds] = process.argv.slice(2);
const tokens = readFileSync(tokensFile, 'utf8').split('\n').slice(0, Number(users));
const agent = new Agent({ maxSockets: Number(streams) });
const counts = await Promise.all(Array.from({ length: Number(streams) }, (_, index) => open(index)));

const before = sum();
await pause(Number(seconds) * 1_000);
const events = sum() - before;
process.stdout.write(JSON.stringify({ events, heard: counts.filter(({ events: some }) => some > 0).length }));
process.exit();

async function open(index: number): Promise<{ events: number }> {
  const headers = { authorization: `Bearer ${tokens[index % tokens.length]}` };
  const [res] = (await once(get(url, { agent, headers }), 'response')) as [IncomingMessage];
  if (res.statusCode !== 200) {
    throw new Error(`a stream was answered with ${res.statusCode}`);
  }
  const count = { events: 0 };
  res.on('data', (part: Buffer) => {
    count.events += countEvents(part);
  });
  return count;
}

function countEvents(part: Buffer): number {
  let count = 0;
  for (let at = part.indexOf('data:'); at >= 0; at = part.indexOf('data:', at + 5)) {
    count += 1;
  }
  return count;
}

function sum(): number {
  return counts.reduce((total, { events: some }) => total + some, 0);
}
