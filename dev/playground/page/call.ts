import { findNextStep, type NextStep } from '../../../examples/recover/next-step.ts';
import type { FailureCode } from '../../../src/failures.ts';

/** What is sent, but for the token. */
export interface CallRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: string | Blob | undefined;
  readonly mediaType?: string | undefined;
  /** Default whatever the browser takes. */
  readonly accept?: string | undefined;
  /** What it is about, in a few words. */
  readonly about: string;
}

/** How the caller shows who they are. */
export const SEND_AS = {
  own: 'your token',
  none: 'no token',
  broken: 'a token that somebody changed',
  twice: 'two tokens at once',
  query: 'your token in the query',
  large: 'your token and 20 kB of headers',
  stranger: 'an unlisted app’s token',
  often: 'your token, 60 times',
} as const;

/** One of {@link SEND_AS}. */
export type SendAs = keyof typeof SEND_AS;

/** The head of an answer. */
export interface Answer {
  /** 0 when there was none that a page may read. */
  readonly status: number;
  readonly statusText: string;
  /** Milliseconds until it came. */
  readonly ms: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The challenge, if there is one. */
  readonly challenge: string | undefined;
  /** The problem document of the gateway, if it is one of its own. */
  readonly problem: Problem | undefined;
  readonly nextStep: NextStep;
}

/** The part of a problem document that is read here. */
export interface Problem {
  readonly title: string;
  readonly code: FailureCode;
}

/** What came of the body so far; of a large one only the beginning is kept. */
export interface Body {
  readonly text: string;
  readonly bytes: number;
  readonly state: 'open' | 'complete' | 'stopped' | 'broken';
}

/** How a call is made and who hears of it. */
export interface CallOptions {
  /** Where the call is sent: the gateway, or an engine before it. */
  readonly apiUrl: string;
  /** `x-request-id`. */
  readonly requestId: string;
  readonly sendAs: SendAs;
  readonly accessToken: string | undefined;
  readonly signal: AbortSignal;
  readonly onHead: (answer: Answer) => void;
  readonly onBody: (body: Body) => void;
}

/** Characters of a body that are kept. */
const MAX_TEXT_LENGTH = 16_384;
const TELL_EVERY_MS = 100;

/** Sends a call and reads its answer to the end, or until the signal stops it; failures are answers of status 0. */
export async function sendCall(request: CallRequest, options: CallOptions): Promise<Answer> {
  const start = performance.now();
  const elapsed = (): number => Math.round(performance.now() - start);
  try {
    const response = await fetch(toUrl(request, options), {
      method: request.method,
      headers: describeHeaders(request, options),
      signal: options.signal,
      cache: 'no-store',
      ...(request.body !== undefined && { body: request.body }),
    });
    const answer = await readHead(response, elapsed());
    options.onHead(answer);
    await readBody(response, options);
    return answer;
  } catch {
    const answer = describeSilence(elapsed(), options.signal.aborted);
    options.onHead(answer);
    return answer;
  }
}

function toUrl({ path }: CallRequest, { apiUrl, sendAs, accessToken = '' }: CallOptions): string {
  if (sendAs !== 'query') {
    return apiUrl + path;
  }
  return `${apiUrl}${path}${path.includes('?') ? '&' : '?'}access_token=${accessToken}`;
}

function describeHeaders({ body, mediaType, accept }: CallRequest, options: CallOptions): Headers {
  const { sendAs, accessToken, requestId } = options;
  const headers = new Headers({ 'x-request-id': requestId });
  if (body !== undefined && mediaType !== undefined) {
    headers.set('content-type', mediaType);
  }
  if (accept !== undefined) {
    headers.set('accept', accept);
  }
  if (sendAs === 'large') {
    headers.set('x-padding', 'x'.repeat(20_000));
  }
  for (const token of chooseTokens(sendAs, accessToken)) {
    headers.append('authorization', `Bearer ${token}`);
  }
  return headers;
}

function chooseTokens(sendAs: SendAs, token: string | undefined): readonly string[] {
  if (sendAs === 'broken') {
    return [token === undefined ? 'not.a.token' : breakToken(token)];
  }
  if (token === undefined || sendAs === 'none' || sendAs === 'query') {
    return [];
  }
  return sendAs === 'twice' ? [token, token] : [token];
}

/** Changes a character in the middle of the signature: all of its bits count. */
function breakToken(token: string): string {
  const at = token.length - 40;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

async function readHead(response: Response, ms: number): Promise<Answer> {
  const { status, statusText, headers } = response;
  const nextStep = await findNextStep(response);
  const isOurs = nextStep.do !== 'use';
  return {
    status,
    statusText,
    ms,
    headers: [...headers],
    challenge: headers.get('www-authenticate') ?? undefined,
    problem: isOurs ? ((await response.clone().json()) as Problem) : undefined,
    nextStep,
  };
}

function describeSilence(ms: number, isStopped: boolean): Answer {
  const why = isStopped ? 'You stopped waiting.' : 'The connection ended without an answer that a page may read.';
  const nothing = { status: 0, statusText: '', headers: [], challenge: undefined, problem: undefined };
  return { ...nothing, ms, nextStep: { do: 'stop', why } };
}

async function readBody({ body }: Response, { signal, onBody }: CallOptions): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  let told = 0;
  const tell = (state: Body['state']): void => {
    onBody({ text, bytes, state });
  };
  tell('open');
  try {
    for await (const chunk of chunksOf(body)) {
      bytes += chunk.length;
      if (text.length < MAX_TEXT_LENGTH) {
        text = (text + decoder.decode(chunk, { stream: true })).slice(0, MAX_TEXT_LENGTH);
      }
      if (performance.now() - told < TELL_EVERY_MS) {
        continue;
      }
      told = performance.now();
      tell('open');
    }
    tell('complete');
  } catch {
    tell(signal.aborted ? 'stopped' : 'broken');
  }
}

/** A stream is not iterable in every browser. */
async function* chunksOf(stream: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (stream === null) {
    return;
  }
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    yield next.value;
  }
}
