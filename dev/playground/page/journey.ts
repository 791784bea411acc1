import type { Hop } from '../hop.ts';

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

/** A call of the gateway; the page knows of it before the gateway has anything to tell. */
export interface Call {
  readonly kind: 'call';
  readonly correlationId: string;
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

/** The gateway's log names an operation of its own for what it passes on: `native-auth /oauth2/v2.0/token`. */
const PROXIED = /^native-auth /;

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
  hopsOfProxiedRequest(request: ProxiedRequest): { readonly outer: Hop | undefined; readonly inner: readonly Hop[] } {
    const outer = this.#hops.find(
      (hop) => hop.to === 'gateway' && [hop.correlationId, hop.exchangesAs].includes(request.correlationId),
    );
    const endpoint = outer?.path.replace(PROXIED, '') ?? '';
    // The library can send two requests of one sign-in under one id, but to two endpoints.
    const isInner = ({ correlationId, path }: Hop): boolean =>
      correlationId !== undefined && correlationId === outer?.exchangesAs && path.endsWith(endpoint);
    return { outer: outer && { ...outer, path: `/native-auth${endpoint}` }, inner: this.#find(isInner) };
  }

  /** What the gateway itself told of a call, once the call is over. */
  hopOfCall({ correlationId }: Call): Hop | undefined {
    return this.#hops.find((hop) => hop.to === 'gateway' && hop.correlationId === correlationId);
  }

  /** What the gateway asked of others for a call, in order of time. */
  hopsWithin(call: Call): readonly Hop[] {
    const ids = [call.correlationId, this.hopOfCall(call)?.exchangesAs].filter((id) => id !== undefined);
    return this.#find(
      (hop) => hop.from === 'gateway' && hop.correlationId !== undefined && ids.includes(hop.correlationId),
    );
  }

  #find(belongs: (hop: Hop) => boolean): readonly Hop[] {
    return this.#hops.filter(belongs).toSorted((a, b) => a.startedAt - b.startedAt);
  }

  #add(entry: Entry): void {
    this.#entries = [...this.#entries, entry];
    this.#onChange();
  }
}
