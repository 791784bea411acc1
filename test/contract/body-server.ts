import {
  createServer,
  request,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { BodyMemory } from '../../src/request/body-memory.ts';
import type { Contract } from '../../src/contract/contract.ts';
import { validate } from '../../src/contract/validate.ts';
import { GatewayError, type RequestFault } from '../../src/failures.ts';
import { readTarget } from '../../src/request/receive.ts';

/** What the server says of a request. */
export interface Verdict {
  /** `accepted`, or the status and the code of the failure. */
  readonly outcome: string;
  readonly errors?: readonly RequestFault[];
  /** What would be sent on. */
  readonly body?: string;
  readonly isReplayable?: boolean;
}

/** A server that checks requests against a contract and sends back the verdict. */
export interface BodyServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts a server on a free port; a body that passes as a stream is echoed as it comes. */
export async function startBodyServer(contract: Contract, bodyLimit: number): Promise<BodyServer> {
  const memory = new BodyMemory(Math.max(64 * 1_024 * 1_024, 4 * bodyLimit));
  const server = createServer((req, res) => {
    judge(contract, { req, res, memory, bodyLimit }).then(
      async (body) => {
        const content = body.send();
        if (content === undefined || Buffer.isBuffer(content)) {
          res.setHeader('x-way', content === undefined ? 'none' : 'held');
          const verdict: Verdict = {
            outcome: 'accepted',
            body: String(content ?? ''),
            isReplayable: body.isReplayable,
          };
          res.end(JSON.stringify(verdict));
          return;
        }
        res.setHeader('x-way', 'streamed');
        try {
          for await (const chunk of content) {
            res.write(chunk);
          }
          res.end();
        } catch (error) {
          if (!res.headersSent) {
            res.end(JSON.stringify(toVerdict(error)));
          } else {
            res.destroy();
          }
        }
      },
      (error: unknown) => res.end(JSON.stringify(toVerdict(error))),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

interface Arrival {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly memory: BodyMemory;
  readonly bodyLimit: number;
}

async function judge(
  contract: Contract,
  { req, res, memory, bodyLimit }: Arrival,
): Promise<Awaited<ReturnType<typeof validate>>> {
  const { path, query } = readTarget(req.url ?? '');
  const { entry, values, encoded } = contract.routes.match(req.method ?? '', path);
  return validate(req, entry, {
    values,
    encoded,
    query,
    reading: { limit: bodyLimit, askForBody: () => undefined, idleTimeout: 5_000, memory, lifetime: res },
  });
}

function toVerdict(error: unknown): Verdict {
  if (!(error instanceof GatewayError)) {
    return { outcome: String(error) };
  }
  const { errors } = error.facts;
  return { outcome: `${error.rule.status} ${error.code}`, ...(errors === undefined ? {} : { errors }) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

/** An answer of the server: which way the body went, and the text. */
export interface Answer {
  readonly way: string | undefined;
  readonly text: string;
}

/** Sends a request whose pieces are written one after the other, each as one chunk unless a length is declared. */
export function send(
  { port }: BodyServer,
  path: string,
  headers: OutgoingHttpHeaders | readonly string[],
  pieces: readonly (string | Buffer)[],
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ port, host: '127.0.0.1', method: 'POST', path, headers });
    req.once('error', reject);
    req.once('response', (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => (text += chunk));
      res.once('error', reject);
      res.once('end', () => {
        resolve({ way: res.headers['x-way'] as string | undefined, text });
      });
    });
    for (const piece of pieces) {
      req.write(piece);
    }
    req.end();
  });
}

/** The verdict in an answer. */
export function verdictOf({ text }: Answer): Verdict {
  return JSON.parse(text) as Verdict;
}
