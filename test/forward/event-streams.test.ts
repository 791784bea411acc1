import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, expect, it } from '@jest/globals';
import { Downstream, type Timeouts } from '../../src/forward/downstream.ts';
import { forward } from '../../src/forward/forward.ts';
import { NO_BODY } from '../../src/request/body.ts';
import { startDownstream } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';

const behind = await startDownstream();
const settings = {
  baseUrl: `http://127.0.0.1:${behind.port}`,
  connections: { maxAge: undefined },
  headLimit: 16_384,
};
const timeout = { connect: 5_000, response: 30_000, idle: 1_000 };
const monotonicMs = (): number => performance.now();
const downstreams = {
  byDefault: new Downstream('default', { ...settings, timeout }, monotonicMs),
  bySetting: new Downstream('set', { ...settings, timeout: { ...timeout, isIdleSet: true } }, monotonicMs),
  patient: new Downstream('patient', { ...settings, timeout: { ...timeout, idle: 30_000 } }, monotonicMs),
};
const server = createServer((req, res) => {
  const [, name = '', times = ''] = (req.url ?? '').split('/');
  const call = {
    downstream: downstreams[name as keyof typeof downstreams],
    method: 'GET',
    path: '/',
    query: '',
    headers: [],
    body: NO_BODY,
    timeouts: JSON.parse(decodeURIComponent(times)) as Timeouts,
    onHead: () => undefined,
  };
  forward(res, call)
    .then((answer) => answer.sendTo(res, [...answer.rawHeaders]))
    .catch(() => res.destroy());
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await Promise.all(Object.values(downstreams).map((downstream) => downstream.destroy()));
  await behind.close();
});
beforeEach(() => behind.reset());

/** An answer that began and is silent since. */
interface Silent {
  /** `undefined` while nothing more came, then what came, or that it broke off. */
  readonly end: string | undefined;
  speak(): void;
}

async function listen(name: keyof typeof downstreams, timeouts: Timeouts, contentType: string): Promise<Silent> {
  let speak: (() => void) | undefined;
  behind.answer = (_req, res) => {
    res.writeHead(200, { 'content-type': contentType });
    res.write('1');
    speak = () => res.end('2');
  };
  const response = await fetch(`${url}/${name}/${encodeURIComponent(JSON.stringify(timeouts))}`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  await reader?.read();
  let end: string | undefined;
  void reader?.read().then(
    ({ value = '' }) => (end = value),
    () => (end = 'broken off'),
  );
  return {
    get end() {
      return end;
    },
    speak: () => speak?.(),
  };
}

it('a stream of messages is silent as long as it likes, while other answers end', async () => {
  const stream = await listen('byDefault', { endlessStreams: true }, 'Text/Event-Stream; charset=utf-8');
  // An answer that began later and had the same time ends: so the stream had time enough, too.
  const other = await listen('byDefault', { endlessStreams: true }, 'application/json');
  await until('the other answer ends', () => other.end === 'broken off');
  expect(stream.end).toBeUndefined();
  stream.speak();
  await until('the stream goes on', () => stream.end === '2');
});

it.each<[string, keyof typeof downstreams, Timeouts]>([
  ['gateway.yaml says how long a silence is', 'bySetting', { endlessStreams: true }],
  ['nothing says that a stream may be silent', 'byDefault', {}],
])('a stream of messages ends where %s', async (_case, name, timeouts) => {
  const stream = await listen(name, timeouts, 'text/event-stream');
  await until('the stream ends', () => stream.end === 'broken off');
});

it('an answer that goes on in time is passed to its end', async () => {
  const other = await listen('patient', { endlessStreams: true }, 'application/json');
  other.speak();
  await until('the answer goes on', () => other.end === '2');
});
