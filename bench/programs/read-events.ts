import { Agent, get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { readCpuTime } from '../measure/process-figures.ts';

/*
 * Opens streams of server-sent events, and once all are open counts for a time what arrives, and the CPU time that the
 * server takes for it. Writes how many streams were heard of, how many events came, and the milliseconds.
 *
 * Arguments: the address, the file of the tokens, how many tokens take turns, how many streams, the seconds, the ids of the
 * server's processes.
 */

const [url = '', tokensFile = '', users, streams, seconds, processes = ''] = process.argv.slice(2);
const tokens = readFileSync(tokensFile, 'utf8').split('\n').slice(0, Number(users));
const agent = new Agent({ maxSockets: Number(streams) });
const counts = await Promise.all(Array.from({ length: Number(streams) }, (_, index) => open(index)));

const [eventsBefore, cpuBefore] = [sum(), readCpu()];
await pause(Number(seconds) * 1_000);
const [events, cpuMs] = [sum() - eventsBefore, readCpu() - cpuBefore];
process.stdout.write(JSON.stringify({ events, cpuMs, heard: counts.filter(({ events: some }) => some > 0).length }));
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

function readCpu(): number {
  return processes.split(',').reduce((total, pid) => total + readCpuTime(Number(pid)), 0);
}

function sum(): number {
  return counts.reduce((total, { events: some }) => total + some, 0);
}
