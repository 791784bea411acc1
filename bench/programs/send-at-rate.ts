import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/*
 * Sends one GET after the other at a fixed rate, whether or not the earlier ones were answered, and writes how long the
 * answers took. The time counts from the moment at which a request was due: one that had to wait because every connection
 * was busy waited for the server.
 *
 * It ends by itself at the latest `GRACE_MS` after the last request was due, and says whether the rate was kept. It fails
 * when nothing was answered, an answer is not 200 or has no length, or a connection ends.
 *
 * Arguments: the address, the file of the tokens, how many tokens take turns, the requests a second, the connections,
 * the seconds.
 */

const [address = '', tokensFile = '', users, ratePerSecond, connections, seconds] = process.argv.slice(2);

/** Milliseconds between two looks at what is due, the shortest that timers have. */
const TICK_MS = 1;

/** Milliseconds after the end in which answers still count. */
const GRACE_MS = 2_000;

/** The share of the rate that must be reached, for the latencies to be those of this rate. */
const MIN_SHARE = 0.98;

const MAX_HEAD_BYTES = 16_384;

/** A connection, which carries one request at a time. */
interface Lane {
  readonly socket: Socket;
  /** When its request was due, by `performance.now()`. */
  dueAt: number;
  /** The head of the answer as far as it came; empty once it is complete. */
  head: string;
  /** Bytes of the body still to come; `undefined` until the head is complete. */
  left: number | undefined;
}

const url = new URL(address);
const requests = readFileSync(tokensFile, 'utf8')
  .split('\n')
  .slice(0, Number(users))
  .map((token) => `GET ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
const rate = Number(ratePerSecond) / 1_000;
const total = Math.floor(Number(ratePerSecond) * Number(seconds));
const latencies = new Float64Array(total);
const idle = await Promise.all(Array.from({ length: Number(connections) }, openLane));
let sent = 0;
let answered = 0;

const startedAt = performance.now();
const timer = setInterval(sendWhatIsDue, TICK_MS);

function sendWhatIsDue(): void {
  const now = performance.now();
  if (now > startedAt + Number(seconds) * 1_000 + GRACE_MS) {
    report();
  }
  while (sent < total && idle.length > 0 && dueAt(sent) <= now) {
    send(idle.shift() as Lane);
  }
}

function dueAt(index: number): number {
  return startedAt + index / rate;
}

function send(lane: Lane): void {
  lane.dueAt = dueAt(sent);
  lane.socket.write(requests[sent % requests.length] ?? '', 'latin1');
  sent += 1;
}

async function openLane(): Promise<Lane> {
  const socket = connect(Number(url.port), url.hostname).setNoDelay();
  await once(socket, 'connect');
  const lane: Lane = { socket, dueAt: 0, head: '', left: undefined };
  socket.on('data', (part: Buffer) => take(lane, part));
  socket.on('close', () => fail('a connection ended'));
  return lane;
}

function take(lane: Lane, part: Buffer): void {
  if (lane.left === undefined) {
    lane.head += part.toString('latin1');
    const end = lane.head.indexOf('\r\n\r\n');
    if (end >= 0) {
      lane.left = readLength(lane.head.slice(0, end + 2)) - (lane.head.length - end - 4);
      lane.head = '';
    } else if (lane.head.length > MAX_HEAD_BYTES) {
      fail('the head of an answer is too long');
    }
  } else {
    lane.left -= part.length;
  }
  if (lane.left === 0) {
    finish(lane);
  } else if (lane.left !== undefined && lane.left < 0) {
    fail('an answer is longer than it said');
  }
}

function readLength(head: string): number {
  const [, length] = /\r\ncontent-length: *(\d+) *\r\n/i.exec(head) ?? [];
  if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) {
    fail(`an answer was not 200 with a length: ${head.slice(0, head.indexOf('\r\n'))}`);
  }
  return Number(length);
}

function finish(lane: Lane): void {
  const now = performance.now();
  latencies[answered] = now - lane.dueAt;
  answered += 1;
  lane.left = undefined;
  if (answered === total) {
    report();
  } else if (sent < total && dueAt(sent) <= now) {
    send(lane);
  } else {
    idle.push(lane);
  }
}

function report(): never {
  clearInterval(timer);
  if (answered === 0) {
    fail('nothing was answered');
  }
  const reached = answered / ((performance.now() - startedAt) * rate);
  const sorted = latencies.subarray(0, answered).toSorted();
  const isKept = answered === total && reached >= MIN_SHARE;
  process.stdout.write(JSON.stringify({ answered, isKept, p50: at(sorted, 0.5), p99: at(sorted, 0.99) }));
  process.exit();
}

function at(sorted: Float64Array, share: number): number {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

function fail(reason: string): never {
  process.stderr.write(`${reason}, after ${answered} answers\n`);
  process.exit(1);
}
