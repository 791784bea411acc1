import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import type { Caller } from './topology.ts';
import { EVENTS_OF_A_FEED, type Echo } from './echo-api.ts';

/** Milliseconds between two calls of a caller: it bounds the load on a fast machine. */
const PAUSE_MS = 100;

/** Bytes of an upload. */
const UPLOAD_BYTES = 40_000;

/** One call and what became of it. */
export interface Outcome {
  readonly call: string;
  readonly kind: Kind;
  /** Port of the front that it went to. */
  readonly front: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** The replica that served it. */
  readonly replica: string | undefined;
  /** Why it does not count as served; absent when the answer is just what this caller must get. */
  readonly loss: string | undefined;
}

/** A kind of call. */
export type Kind = 'read' | 'create' | 'upload' | 'feed';

const METHODS = { read: 'GET', create: 'POST', upload: 'PUT', feed: 'GET' } as const satisfies Record<Kind, string>;

/** What most callers do in turn. */
const TURNS: readonly Kind[] = ['read', 'create', 'read', 'upload'];

let calls = 0;

/** One person's client, which keeps its connection to a front. */
export class Client {
  readonly #agent: Agent;
  readonly #caller: Caller;
  readonly #front: number;
  #turn = 0;

  /** @param ca the certificate that the fronts have */
  constructor(caller: Caller, front: number, ca: string) {
    this.#caller = caller;
    this.#front = front;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca, servername: 'api.contoso.com' });
  }

  /**
   * Makes a call, compares the answer, and never throws.
   *
   * @param query added to the path
   */
  async call(kind: Kind, query = ''): Promise<Outcome> {
    calls += 1;
    const call = `${kind}-${calls}`;
    const startedAt = performance.now();
    const { replica, loss } = await this.#ask(kind, call, query).catch((error: unknown) => ({
      replica: undefined,
      loss: String(error),
    }));
    return { call, kind, front: this.#front, startedAt, endedAt: performance.now(), replica, loss };
  }

  /** Closes its connection. */
  close(): void {
    this.#agent.destroy();
  }

  async #ask(
    kind: Kind,
    call: string,
    query: string,
  ): Promise<{ replica: string | undefined; loss: string | undefined }> {
    const body = bodyOf(kind, call);
    const method = METHODS[kind];
    this.#turn += 1;
    const service = this.#turn % 2 === 0 ? 'records' : 'people';
    const asked = request({
      host: '127.0.0.1',
      port: this.#front,
      agent: this.#agent,
      method,
      path: `/${service}?call=${call}${kind === 'feed' ? '&feed' : ''}${query}`,
      headers: { host: 'api.contoso.com', authorization: `Bearer ${this.#caller.token}`, ...typeOf(kind) },
    });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.setEncoding('utf8');
    let text = '';
    for await (const chunk of response) {
      text += chunk as string;
    }
    if (response.statusCode !== 200) {
      return { replica: undefined, loss: `${response.statusCode} ${text.slice(0, 200)}` };
    }
    const wanted = {
      caller: this.#caller.oid,
      call,
      method,
      digest: createHash('sha256').update(body).digest('hex'),
    };
    return compare(kind, text, wanted);
  }
}

function bodyOf(kind: Kind, call: string): string {
  switch (kind) {
    case 'create':
      return JSON.stringify({ note: call });
    case 'upload':
      return call.padEnd(UPLOAD_BYTES, 'x');
    case 'read':
    case 'feed':
      return '';
  }
}

function typeOf(kind: Kind): Record<string, string> {
  const types: Partial<Record<Kind, string>> = { create: 'application/json', upload: 'application/octet-stream' };
  const type = types[kind];
  return type === undefined ? {} : { 'content-type': type };
}

function compare(
  kind: Kind,
  text: string,
  wanted: Omit<Echo, 'replica'>,
): { replica: string | undefined; loss: string | undefined } {
  const echoes =
    kind === 'feed'
      ? text
          .split('\n\n')
          .filter((event) => event !== '')
          .map((event) => event.slice(6))
      : [text];
  const { replica, ...rest } = JSON.parse(echoes[0] ?? '') as Echo;
  const all = Array.from({ length: kind === 'feed' ? EVENTS_OF_A_FEED : 1 }, () =>
    JSON.stringify({ ...wanted, replica }),
  );
  const isRight = echoes.join() === all.join();
  return { replica, loss: isRight ? undefined : `a wrong answer: ${JSON.stringify(rest)}` };
}

/** Callers that call again and again until they are told to stop. */
export class Load {
  #outcomes: Outcome[] = [];
  #countsFrom = 0;
  /** How many calls of each caller were served since the start. */
  readonly #served: number[] = [];
  /** When the newest call that was served began, by replica and front. */
  readonly #lastServed = new Map<string, number>();
  #isOver = false;
  readonly #clients: readonly Client[];
  readonly #running: Promise<unknown>;

  /** Every eighth caller follows feeds; the others read, create and upload. */
  constructor(callers: readonly Caller[], fronts: readonly number[], ca: string) {
    this.#clients = callers.map((caller, index) => new Client(caller, fronts[index % fronts.length] ?? 0, ca));
    this.#running = Promise.all(this.#clients.map((client, index) => this.#run(client, index)));
  }

  /** What became of the calls that count. */
  get outcomes(): readonly Outcome[] {
    return this.#outcomes;
  }

  /** The calls that count and were not served as they must be. */
  get losses(): readonly Outcome[] {
    return this.#outcomes.filter(({ loss }) => loss !== undefined);
  }

  /** The calls that were served since the start of the caller that had the fewest; each calls both APIs in turn. */
  get fewestServed(): number {
    return Math.min(...this.#clients.map((_, index) => this.#served[index] ?? 0));
  }

  /** Lets only calls count that begin from now on. */
  count(): void {
    this.#countsFrom = performance.now();
    this.#outcomes = [];
  }

  /** True when a call that began after a moment was served by this replica, through this front. */
  servedBy(replica: string, front: number, moment: number): boolean {
    return (this.#lastServed.get(`${replica} ${front}`) ?? 0) > moment;
  }

  /** Lets every caller finish its call. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#clients.forEach((client) => client.close());
  }

  async #run(client: Client, index: number): Promise<void> {
    for (let turn = index; !this.#isOver; turn += 1) {
      const kind = index % 8 === 7 ? 'feed' : (TURNS[turn % TURNS.length] ?? 'read');
      const outcome = await client.call(kind);
      if (outcome.startedAt >= this.#countsFrom) {
        this.#outcomes.push(outcome);
      }
      if (outcome.loss === undefined) {
        this.#served[index] = (this.#served[index] ?? 0) + 1;
        this.#lastServed.set(`${outcome.replica} ${outcome.front}`, outcome.startedAt);
      }
      await wait(PAUSE_MS);
    }
  }
}
