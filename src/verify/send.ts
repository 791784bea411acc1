import { Agent, type Dispatcher } from 'undici';
import type { TriedOperation } from './load-operations.ts';
import { toPath, toSearch, type RequestParts } from './request-parts.ts';
import { bareMediaType } from './response-rules.ts';

/** What a gateway answered. */
export interface Answer {
  /** The method of the request: an answer to HEAD has no body. */
  readonly method: string;
  readonly status: number;
  /** Every value of each header, by lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The body where it is JSON or text; `undefined` where there is another one, which is then not read. */
  readonly text: string | undefined;
}

/** Milliseconds to connect, to the head of an answer, and between two pieces of its body. */
const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT = 60_000;

/** Bytes; longer bodies are not read to their end. */
const MAX_BODY_BYTES = 16 * 1_024 * 1_024;

/** Sends calls to one gateway, one after the other. */
export class GatewayClient {
  readonly #base: URL;
  readonly #agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: ANSWER_TIMEOUT,
    bodyTimeout: ANSWER_TIMEOUT,
  });

  /** @param url where the gateway is; paths of the contract go behind its own path */
  constructor(url: URL) {
    this.#base = url;
  }

  /**
   * Sends a request with an access token, if there is one.
   *
   * @throws {Error} when no answer comes
   */
  async send(operation: TriedOperation, parts: RequestParts, token?: string): Promise<Answer> {
    const search = toSearch(parts).toString();
    const path = `${this.#base.pathname.replace(/\/$/, '')}${toPath(operation, parts)}`;
    const { statusCode, headers, body } = await this.#agent.request({
      origin: this.#base.origin,
      path: search === '' ? path : `${path}?${search}`,
      method: operation.method,
      headers: headersFor(parts, token),
      body: parts.body?.text ?? null,
    });
    const all = new Map(Object.entries(headers).map(([name, value]) => [name, [value ?? []].flat()]));
    return {
      method: operation.method,
      status: statusCode,
      headers: all,
      text: await readText(body, all.get('content-type')?.[0] ?? ''),
    };
  }

  /** Why no answer of any kind comes from there; `undefined` when one does. */
  async findFault(): Promise<string | undefined> {
    try {
      const { body } = await this.#agent.request({ origin: this.#base.origin, path: '/', method: 'HEAD' });
      await body.dump();
      return undefined;
    } catch (error) {
      return nameError(error);
    }
  }

  /** Lets go of the connections. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

/** The code of a network error, or what it says. */
export function nameError(error: unknown): string {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return code ?? message ?? String(error);
}

function headersFor({ headers, cookies, body }: RequestParts, token: string | undefined): Record<string, string> {
  const cookie = cookies.map(([name, value]) => `${name}=${value}`).join('; ');
  return {
    ...headers,
    ...(cookie === '' ? {} : { cookie }),
    ...(body === undefined ? {} : { 'content-type': body.mediaType }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}

async function readText(body: Dispatcher.ResponseData['body'], contentType: string): Promise<string | undefined> {
  const type = bareMediaType(contentType);
  const isReadable =
    type === '' || /[/+]json$/.test(type) || (type.startsWith('text/') && type !== 'text/event-stream');
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (isReadable) {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_BODY_BYTES) {
        return undefined;
      }
    }
    return Buffer.concat(chunks).toString('utf8');
  }
  // A body that is left unread ends with an error.
  body.on('error', () => undefined).destroy();
  return undefined;
}
