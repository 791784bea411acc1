import { Agent, type Dispatcher } from 'undici';
import { bareMediaType } from '../contract/checks/media-type.ts';
import type { Answer } from './answer.ts';
import type { TriedOperation } from './load-operations.ts';
import { readHead, type HeadAnswer, type Patience } from './read-head.ts';
import { toPath, toSearch, type RequestParts } from './request-parts.ts';

/** Answers, and pieces of their bodies, may take this long. */
const PATIENCE: Patience = { connectMs: 10_000, answerMs: 60_000, bodyMs: 2_000 };

/** Bytes; longer bodies are not read to their end. */
const MAX_BODY_BYTES = 16 * 1_024 * 1_024;

/** A request to a path of the gateway. */
export interface PathRequest {
  readonly method: string;
  /** From the root of the gateway's host, with the query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** Sends calls to one gateway, one after the other. */
export class GatewayClient {
  readonly #origin: URL;
  /** What stands before the paths of the contract, without a slash at the end. */
  readonly basePath: string;
  readonly #agent = new Agent({
    connect: { timeout: PATIENCE.connectMs },
    headersTimeout: PATIENCE.answerMs,
    bodyTimeout: PATIENCE.answerMs,
  });

  /**
   * @param url where the gateway is
   * @param basePath default: the path of that address
   */
  constructor(url: URL, basePath = url.pathname.replace(/\/$/, '')) {
    this.#origin = new URL(url.origin);
    this.basePath = basePath;
  }

  /**
   * Sends a call of the contract with an access token, if there is one.
   *
   * @throws {Error} when no answer comes
   */
  send(operation: TriedOperation, parts: RequestParts, token?: string): Promise<Answer> {
    return this.ask(this.#toRequest(operation, parts, token));
  }

  /**
   * Sends a request to any path.
   *
   * @throws {Error} when no answer comes
   */
  async ask({ method, target, headers = {}, body }: PathRequest): Promise<Answer> {
    const answer = await this.#agent.request({
      origin: this.#origin.origin,
      path: target,
      method,
      headers,
      body: body ?? null,
    });
    const all = new Map(Object.entries(answer.headers).map(([name, value]) => [name, [value ?? []].flat()]));
    return {
      method,
      path: target.split('?', 1)[0] ?? '',
      status: answer.statusCode,
      headers: all,
      text: await readText(answer.body, all.get('content-type')?.[0] ?? ''),
    };
  }

  /**
   * Sends a call of the contract as HEAD, whatever its method is.
   *
   * @throws {Error} when no answer comes
   */
  sendHead(operation: TriedOperation, parts: RequestParts, token?: string): Promise<HeadAnswer> {
    return this.askHead(this.#toRequest(operation, parts, token));
  }

  /**
   * Sends a HEAD to any path.
   *
   * @throws {Error} when no answer comes
   */
  askHead({ target, headers = {} }: Pick<PathRequest, 'target' | 'headers'>): Promise<HeadAnswer> {
    return readHead(this.#origin, target, headers, PATIENCE);
  }

  /** Why no answer of any kind comes from there; `undefined` when one does. */
  async findFault(): Promise<string | undefined> {
    try {
      const { body } = await this.#agent.request({ origin: this.#origin.origin, path: '/', method: 'HEAD' });
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

  #toRequest(operation: TriedOperation, parts: RequestParts, token: string | undefined): PathRequest {
    const search = toSearch(parts);
    const path = `${this.basePath}${toPath(operation, parts)}`;
    return {
      method: operation.method,
      target: search === '' ? path : `${path}?${search}`,
      headers: headersFor(parts, token),
      body: parts.body?.text,
    };
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
