import type { RequestHandler } from 'express';
import type { Trace } from './trace.ts';

const HEARTBEAT_MS = 15_000;

/** Bytes that a page may leave unread before its stream is ended; it then asks for a new one. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** Sends each further hop as a server-sent event until the page leaves. */
export function streamHops(trace: Trace): RequestHandler {
  return (_req, res) => {
    const send = (text: string): void => {
      if (res.writableLength > MAX_UNREAD_BYTES) {
        res.destroy();
      } else {
        res.write(text);
      }
    };
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    send('retry: 1000\n\n');
    const stop = trace.onHop((hop) => {
      send(`data: ${JSON.stringify(hop)}\n\n`);
    });
    const heartbeat = setInterval(() => {
      send(': heartbeat\n\n');
    }, HEARTBEAT_MS);
    res.on('close', () => {
      clearInterval(heartbeat);
      stop();
    });
  };
}
