import { PARTIES, type Hop, type Party } from '../hop.ts';
import type { SendThrough } from './send-through.ts';

/** A part of the journey: a line that says who does what. */
interface Heading {
  readonly kind: 'heading';
  readonly text: string;
}

/** Whatever the browser asks of Entra under one id, in MSAL or in a window. */
interface Visit {
  readonly kind: 'visit';
  readonly correlationId: string;
}

/** A call; the page knows of it before anybody has anything to tell. */
export interface Call {
  readonly kind: 'call';
  readonly correlationId: string;
  readonly through: SendThrough;
  readonly method: string;
  readonly path: string;
  readonly about: string;
  readonly answer: CallAnswer | undefined;
}

/** How a call ended. */
export interface CallAnswer {
  readonly status: number;
  readonly ms: number;
  readonly refusal: string | undefined;
  readonly challenge: string | undefined;
}

/** A request to Entra that the page makes by way of the gateway: native authentication. */
interface ProxiedRequest {
  readonly kind: 'proxied';
  /** `x-request-id`; the `client-request-id` where the library lets a page choose nothing else. */
  readonly correlationId: string;
}

/** One entry of the journey, in the order in which the person made them happen. */
export type Entry = Heading | Visit | Call | ProxiedRequest;

/** A hop, and those that were made for it. */
export interface HopTree {
  readonly hop: Hop;
  readonly within: readonly HopTree[];
  /** What came of it, in a few words; it stands at its answer. */
  readonly outcome: string;
}

/** The gateway's log names an operation of its own for what it passes on: `native-auth /oauth2/v2.0/token`. */
const PROXIED = /^native-auth /;

/** Where the gateway has the MCP server of the demo. */
const MAILBOX = '/mailbox/';

/** What happened from the first call on, and every hop that belongs to it by its id. */
export class Journey {
  readonly #onChange: () => void;
  #entries: Entry[] = [];
  #hops: Hop[] = [];

  /** @param onChange is called after each change */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** What happened, oldest first. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Those who may have a part in it: the engine only where something is sent through it, the mailbox where it is called. */
  get parties(): readonly Party[] {
    const calls = this.#entries.filter((entry) => entry.kind === 'call');
    const isThere: Partial<Record<Party, boolean>> = {
      engine: calls.some(({ through }) => through === 'engine'),
      mailbox: calls.some(({ path }) => path.startsWith(MAILBOX)),
    };
    return PARTIES.filter((party) => isThere[party] ?? true);
  }

  /** Begins anew. */
  clear(): void {
    this.#entries = [];
    this.#hops = [];
    this.#onChange();
  }

  /** Begins a part. */
  addHeading(text: string): void {
    this.#add({ kind: 'heading', text });
  }

  /** Notes an id under which the browser asks Entra. */
  addVisit(correlationId: string): void {
    this.#add({ kind: 'visit', correlationId });
  }

  /** Notes a request to Entra by way of the gateway. */
  addProxiedRequest(correlationId: string): void {
    this.#add({ kind: 'proxied', correlationId });
  }

  /** Notes a call that is being made. */
  addCall(call: Omit<Call, 'kind' | 'answer'>): void {
    this.#add({ kind: 'call', answer: undefined, ...call });
  }

  /** Notes the answer of a call. */
  answerCall(correlationId: string, answer: CallAnswer): void {
    this.#entries = this.#entries.map((entry) =>
      entry.kind === 'call' && entry.correlationId === correlationId ? { ...entry, answer } : entry,
    );
    this.#onChange();
  }

  /** Takes a hop; it is drawn when it belongs to an entry, now or later. */
  learn(hop: Hop): void {
    this.#hops.push(hop);
    this.#onChange();
  }

  /** What the browser asked of Entra under that id, in order of time. */
  hopsOfVisit({ correlationId }: Visit): readonly Hop[] {
    return this.#find((hop) => hop.from === 'client' && hop.to === 'entra' && hop.correlationId === correlationId);
  }

  /** What the gateway told of a request that it passed on to Entra, and how Entra met it. */
  treeOfProxiedRequest(request: ProxiedRequest): HopTree | undefined {
    const outer = this.#hops.find(
      (hop) => hop.to === 'gateway' && [hop.correlationId, hop.exchangesAs].includes(request.correlationId),
    );
    if (outer === undefined) {
      return undefined;
    }
    const endpoint = outer.path.replace(PROXIED, '');
    // The library can send two requests of one sign-in under one id, but to two endpoints.
    const isInner = ({ correlationId, path }: Hop): boolean =>
      correlationId !== undefined && correlationId === outer.exchangesAs && path.endsWith(endpoint);
    const within = this.#find(isInner).map(withNothingWithin);
    return { hop: { ...outer, path: `/native-auth${endpoint}` }, within, outcome: '' };
  }

  /** What the one through which a call was sent told of it, once the call is over. */
  hopOfCall({ correlationId, through }: Call): Hop | undefined {
    return this.#hops.find((hop) => hop.from === 'client' && hop.to === through && hop.correlationId === correlationId);
  }

  /** What the one through which a call was sent asked of others, in order of time. */
  treesWithin(call: Call): readonly HopTree[] {
    const own = this.#find((hop) => hop.from === call.through && hop.correlationId === call.correlationId);
    if (call.through === 'gateway') {
      const hops = [...own, ...this.#exchangesOf(this.hopOfCall(call))];
      return inOrder(hops).map((hop) => ({ hop, within: this.#askedByMailbox(hop), outcome: '' }));
    }
    // The engine asks one question after the other, and the gateway's log has them in that order. It has no line for a
    // refusal that is asked for once more, and none for a question that never arrived; nothing is asked after these.
    const lines = own.filter(({ toldBy }) => toldBy === 'gateway').toSorted((a, b) => a.number - b.number);
    const questions = own.filter(({ toldBy }) => toldBy === 'engine');
    const refusal = lines.find((line) => line.refusal !== undefined)?.refusal;
    return own
      .filter(({ toldBy }) => toldBy !== 'gateway')
      .map((hop) => {
        const line = lines[questions.indexOf(hop)];
        const within = inOrder(this.#exchangesOf(line)).map(withNothingWithin);
        return hop.to === 'gateway' && hop.path.startsWith('/refusal/')
          ? { hop: { ...hop, refusal }, within, outcome: '' }
          : { hop, within, outcome: outcomeOf(line) };
      });
  }

  /** What the gateway asked of Entra for what one line of its log is about. */
  #exchangesOf(line: Hop | undefined): readonly Hop[] {
    const id = line?.exchangesAs;
    return id === undefined ? [] : this.#find((hop) => hop.from === 'gateway' && hop.correlationId === id);
  }

  /** What the mailbox asked of others for one request; the gateway may send it two under one id, one after the other. */
  #askedByMailbox(outer: Hop): readonly HopTree[] {
    const end = outer.startedAt + outer.ms;
    return outer.to === 'mailbox'
      ? this.#find(
          ({ from, correlationId, startedAt }) =>
            from === 'mailbox' &&
            correlationId === outer.correlationId &&
            startedAt >= outer.startedAt &&
            startedAt <= end,
        ).map(withNothingWithin)
      : [];
  }

  #find(belongs: (hop: Hop) => boolean): readonly Hop[] {
    return inOrder(this.#hops.filter(belongs));
  }

  #add(entry: Entry): void {
    this.#entries = [...this.#entries, entry];
    this.#onChange();
  }
}

function inOrder(hops: readonly Hop[]): readonly Hop[] {
  return hops.toSorted((a, b) => a.startedAt - b.startedAt);
}

/** The check itself answers without a reason, which the log has. */
function outcomeOf(line: Hop | undefined): string {
  return line?.refusal === undefined ? (line?.about ?? '') : 'without a reason';
}

function withNothingWithin(hop: Hop): HopTree {
  return { hop, within: [], outcome: '' };
}
