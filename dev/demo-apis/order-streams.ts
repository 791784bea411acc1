import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RequestHandler } from 'express';
import type { OrderBook } from './order-book.ts';

const HEARTBEAT_MS = 15_000;
const MEGABYTE = Buffer.alloc(1024 * 1024, 'order ');

/** Sends an `order` event for each change until the client leaves. */
export function streamChanges(book: OrderBook): RequestHandler {
  return (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    if (req.method === 'HEAD') {
      // Its answer has no body, and so nothing to wait for.
      res.end();
      return;
    }
    res.write(': the feed is open\n\n');
    const stop = book.onChange((order) => res.write(`event: order\ndata: ${JSON.stringify(order)}\n\n`));
    const heartbeat = setInterval(() => res.write(': heartbeat\n\n'), HEARTBEAT_MS);
    res.on('close', () => {
      clearInterval(heartbeat);
      stop();
    });
  };
}

/** Sends as many megabytes as asked, no faster than they are read. */
export const exportOrders: RequestHandler = (req, res, next) => {
  const megabytes = Number(req.query['megabytes'] ?? 10);
  res.set({ 'Content-Type': 'application/octet-stream', 'Content-Length': String(megabytes * MEGABYTE.length) });
  pipeline(Readable.from(repeat(MEGABYTE, megabytes)), res).catch((error: unknown) => {
    if (!res.destroyed) {
      next(error);
    }
  });
};

/** Reads a body of any size and tells what arrived. */
export const receiveAttachment: RequestHandler = (req, res, next) => {
  const hash = createHash('sha256');
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  req.on('end', () => res.json({ bytes, sha256: hash.digest('hex') }));
  req.on('error', next);
};

function* repeat(chunk: Buffer, times: number): Generator<Buffer> {
  for (let sent = 0; sent < times; sent += 1) {
    yield chunk;
  }
}
