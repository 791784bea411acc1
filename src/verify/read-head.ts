import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Answer } from './answer.ts';

/** What a gateway answered to a HEAD. */
export interface HeadAnswer extends Answer {
  /** True when something follows the head, which clients would take for the beginning of the next answer. */
  readonly hasBody: boolean;
}

/** How long to wait, in milliseconds. */
export interface Patience {
  readonly connectMs: number;
  readonly answerMs: number;
  /** For a body to come, where the gateway does not end the connection. */
  readonly bodyMs: number;
}

/** Bytes; the limit of the usual clients is lower. */
const MAX_HEAD_BYTES = 256 * 1_024;

const END_OF_HEAD = '\r\n\r\n';

/**
 * Sends a HEAD on a connection of its own and reads what comes to the last byte, because clients either hide a body or take
 * it for the next answer (RFC 9112 §6.3).
 *
 * @throws {Error} when no answer comes
 */
export async function readHead(
  origin: URL,
  target: string,
  headers: Readonly<Record<string, string>>,
  patience: Patience,
): Promise<HeadAnswer> {
  const socket = await openConnection(origin, patience.connectMs);
  try {
    socket.setTimeout(patience.answerMs, () => socket.destroy(new Error('no answer in time')));
    const lines = Object.entries({ host: origin.host, connection: 'close', ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    socket.write(`HEAD ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
    const { head, hasBody } = await readBytes(socket, patience.bodyMs);
    return { ...parseHead(head), method: 'HEAD', path: target.split('?', 1)[0] ?? '', text: undefined, hasBody };
  } finally {
    socket.destroy();
  }
}

function openConnection({ protocol, hostname, port }: URL, timeoutMs: number): Promise<Socket> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const isSecure = protocol === 'https:';
  const place = { host, port: Number(port || (isSecure ? 443 : 80)) };
  const socket = isSecure
    ? connectTls({ ...place, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connectPlain(place);
  return new Promise((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no connection in time')));
    socket.once('error', reject);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** What comes up to the end of the final head, and whether anything follows. */
function readBytes(socket: Socket, bodyMs: number): Promise<{ readonly head: string; readonly hasBody: boolean }> {
  return new Promise((resolve, reject) => {
    let text = '';
    let received = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      const end = text.indexOf(END_OF_HEAD);
      if (end >= 0) {
        resolve({ head: text.slice(0, end), hasBody: text.length > end + END_OF_HEAD.length });
      } else {
        reject(error ?? new Error('the connection ended before an answer'));
      }
    };
    socket.on('error', finish);
    socket.on('close', () => finish());
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      text = withoutInterim(text + chunk.toString('latin1'));
      const isHeadHere = text.includes(END_OF_HEAD);
      if (isHeadHere && !text.endsWith(END_OF_HEAD)) {
        finish();
      } else if (isHeadHere) {
        timer ??= setTimeout(finish, bodyMs);
      } else if (received > MAX_HEAD_BYTES) {
        socket.destroy(new Error('the head of the answer is too long'));
      }
    });
  });
}

/** Without the interim answers before the final one (RFC 9110 §15.2). */
function withoutInterim(text: string): string {
  let from = 0;
  for (let end = 0; end >= 0 && text.startsWith('HTTP/1.1 1', from);) {
    end = text.indexOf(END_OF_HEAD, from);
    from = end < 0 ? from : end + END_OF_HEAD.length;
  }
  return text.slice(from);
}

function parseHead(head: string): Pick<Answer, 'status' | 'headers'> {
  const [startLine = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(startLine)?.[1]);
  if (!Number.isInteger(status)) {
    throw new Error('what came is no answer of HTTP/1.1');
  }
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return { status, headers };
}
