/** Those who talk to each other; the lanes of the sequence diagram, in this order. */
export const PARTIES = ['client', 'engine', 'gateway', 'mailbox', 'entra', 'graph', 'orders'] as const;

/** One lane of the sequence diagram. */
export type Party = (typeof PARTIES)[number];

/** One request between two parties of the demo world, once it is over; nothing in it is a secret. */
export interface Hop {
  /** Counts up; the order in which hops became known. */
  readonly number: number;
  readonly from: Party;
  readonly to: Party;
  /**
   * Whose record it is. What the engine asks the gateway is told by both: the engine knows what it asked and what it got,
   * the gateway's log what came of it. Everything else is told by the one that answered.
   */
  readonly toldBy: Party;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds from the arrival of the request to the end of the answer. */
  readonly ms: number;
  readonly method: string;
  /**
   * Path, without tokens. Where the gateway tells it, whose log has no paths, it is the operation of the contract; the page
   * that sent the request knows more.
   */
  readonly path: string;
  /** 0 when no answer was sent. */
  readonly status: number;
  /**
   * What connects hops: `x-request-id` for calls of the gateway and its downstreams, `client-request-id` for requests to
   * Entra.
   */
  readonly correlationId: string | undefined;
  /**
   * For a call of the gateway: the `client-request-id` of the exchanges that were made for it, or the client's own, which
   * the gateway passed on with a native sign-in.
   */
  readonly exchangesAs: string | undefined;
  /** What it was about, in a few words: `on behalf of Megan Bowen, for https://graph.microsoft.com/User.Read`. */
  readonly about: string;
  /** The `code` of the gateway's problem, or Entra's AADSTS number and error. */
  readonly refusal: string | undefined;
  /** `WWW-Authenticate` of the answer of a downstream; the gateway's log has none, but the page got its answer. */
  readonly challenge: string | undefined;
}
