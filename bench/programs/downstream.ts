import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';

/*
 * A downstream API that answers `GET /bytes/{n}` with n bytes, `POST /upload` with the number of bytes that came, and
 * `GET /events` with server-sent events, as many as each reader takes; `GET /held` is never answered.
 *
 * Argument: the port.
 */

const [port] = process.argv.slice(2);
const MEGABYTE = Buffer.alloc(1024 * 1024, 'x');
const EVENT = `data: ${'x'.repeat(92)}\n\n`;

/** Milliseconds between two events of a stream whose reader keeps up. */
const EVENT_INTERVAL_MS = 50;

const readers = new Set<ServerResponse>();

const server = createServer((req, res) => {
  const [, what, size = '0'] = (req.url ?? '').split('/');
  if (what === 'bytes') {
    sendBytes(res, Number(size));
  } else if (what === 'upload') {
    discard(req, res);
  } else if (what === 'events') {
    sendEvents(res);
  } else if (what !== 'held') {
    res.writeHead(404).end();
  }
});
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
server.listen(Number(port), '127.0.0.1', 4_096);

function sendBytes(res: ServerResponse, size: number): void {
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  if (size <= MEGABYTE.length) {
    res.end(MEGABYTE.subarray(0, size));
    return;
  }
  // An aborted download is the reader's affair.
  pipeline(Readable.from(repeat(size)), res, () => {});
}

function* repeat(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= 65_536) {
    yield MEGABYTE.subarray(0, Math.min(left, 65_536));
  }
}

function discard(req: IncomingMessage, res: ServerResponse): void {
  let size = 0;
  req.on('data', (part: Buffer) => {
    size += part.length;
  });
  req.on('end', () => res.end(JSON.stringify({ size })));
}

function sendEvents(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  res.flushHeaders();
  readers.add(res);
  res.on('close', () => readers.delete(res));
}

setInterval(() => {
  for (const reader of readers) {
    // A reader that lags gets nothing new: what counts is what the gateway can carry.
    if (!reader.writableNeedDrain) {
      reader.write(EVENT);
    }
  }
}, EVENT_INTERVAL_MS);
