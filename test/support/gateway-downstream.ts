import { createServer, ServerResponse, type IncomingMessage } from 'node:http';
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A request as a downstream received it. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly url: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Filled in by answers that read it. */
  body: Buffer;
  /** True once the connection broke before the answer was complete. */
  aborted: boolean;
}

/** What a downstream does with a request. */
export type Answer = (req: IncomingMessage, res: ServerResponse, received: ReceivedRequest) => unknown;

/** What a downstream does with a connection that was asked for another protocol; `head` came with the request. */
export type Upgrade = (req: IncomingMessage, socket: Socket, head: Buffer) => unknown;

/** A downstream whose answers are scripted and that remembers what it was asked. */
export interface ScriptedDownstream {
  readonly port: number;
  readonly requests: ReceivedRequest[];
  /** How the next requests are answered. */
  answer: Answer;
  /** What happens to the next requests for another protocol, which count as requests too; default: as any other. */
  upgrade: Upgrade | undefined;
  /** The newest request. */
  readonly last: ReceivedRequest;
  /** Forgets the requests and goes back to plain answers. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts a downstream that answers 200 until told otherwise. */
export async function startDownstream(): Promise<ScriptedDownstream> {
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    const { method = '', url = '', rawHeaders } = req;
    const received = { method, url, rawHeaders, body: Buffer.alloc(0), aborted: false };
    requests.push(received);
    res.once('close', () => {
      received.aborted = !res.writableFinished;
    });
    void downstream.answer(req, res, received);
  });
  // What the gateway lets through must not be refused here.
  server.maxHeadersCount = 0;
  server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
    const { method = '', url = '', rawHeaders } = req;
    const received = { method, url, rawHeaders, body: Buffer.alloc(0), aborted: false };
    requests.push(received);
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
    if (downstream.upgrade !== undefined) {
      downstream.upgrade(req, socket, head);
      return;
    }
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.once('finish', () => socket.destroySoon());
    void downstream.answer(req, res, received);
  });
  const port = await listen(server);
  const downstream: ScriptedDownstream = {
    port,
    requests,
    answer: answerPlainly,
    upgrade: undefined,
    get last() {
      const last = requests.at(-1);
      if (last === undefined) {
        throw new Error('the downstream was not asked anything');
      }
      return last;
    },
    reset() {
      requests.length = 0;
      downstream.answer = answerPlainly;
      downstream.upgrade = undefined;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        sockets.forEach((socket) => socket.destroy());
      }),
  };
  return downstream;
}

/** Reads the body and answers 200. */
export const answerPlainly: Answer = async (req, res, received) => {
  received.body = await readBody(req);
  res.writeHead(200, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ path: received.url }));
};

/** Answers with a status, headers (names and values in turn) and a body. */
export function answerWith(status: number, headers: readonly string[] = [], body: string | Buffer = ''): Answer {
  return async (req, res, received) => {
    received.body = await readBody(req);
    res.writeHead(status, [...headers]);
    res.end(body);
  };
}

/** Gives each of the next requests an answer of its own; the last one stays. */
export function answerInTurn(...answers: readonly [Answer, ...Answer[]]): Answer {
  let turn = 0;
  return (req, res, received) => {
    const answer = answers[Math.min(turn, answers.length - 1)] ?? answers[0];
    turn += 1;
    return answer(req, res, received);
  };
}

/** Answers 401 with these `WWW-Authenticate` lines. */
export function answerChallenge(...challenges: readonly string[]): Answer {
  return answerWith(
    401,
    challenges.flatMap((challenge) => ['www-authenticate', challenge]),
  );
}

/** Reads a whole body; one that breaks off is what came of it. */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of req) {
      chunks.push(chunk as Buffer);
    }
  } catch {
    // What came is all there is.
  }
  return Buffer.concat(chunks);
}

/** Every value of a header in a list of names and values. */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** A downstream that does with each connection what it is told, HTTP or not. */
export interface WireDownstream {
  readonly port: number;
  onConnection: (socket: Socket) => void;
  close(): Promise<void>;
}

/** Starts a downstream that speaks bytes. */
export async function startWire(): Promise<WireDownstream> {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
    wire.onConnection(socket);
  });
  const wire: WireDownstream = {
    port: await listen(server),
    onConnection: (socket) => socket.destroy(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.destroy();
        }
      }),
  };
  return wire;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
