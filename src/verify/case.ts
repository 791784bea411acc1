import type { Failure } from '../failures.ts';
import type { TriedOperation } from './load-operations.ts';
import type { RequestParts } from './request-parts.ts';
import type { TokenName } from './tokens.ts';

/** Who makes a call: someone without a token, with one that is none, or the holder of a token. */
export type Caller = 'nobody' | 'stranger' | TokenName;

/** What must come of a call. */
export type Expectation =
  /** One of the successes that the contract declares. */
  | { readonly kind: 'success' }
  /** What the same GET is answered, without the body. */
  | { readonly kind: 'sameAsGet' }
  | {
      readonly kind: 'refusal';
      readonly failure: Failure;
      /** The challenge must name one of these lists of scopes or roles. */
      readonly scopes?: readonly (readonly string[])[];
      /** The claims must ask for this authentication context. */
      readonly authContext?: string;
      /** One of the problem's errors must be about this place. */
      readonly place?: { readonly in: string; readonly name?: string };
    };

/** One call to one operation. */
export interface Case {
  readonly operation: TriedOperation;
  readonly name: string;
  /** In the order in which they are tried: the next one only when more proof is asked for. */
  readonly callers: readonly Caller[];
  readonly parts: RequestParts;
  readonly expectation: Expectation;
  /** True when a call that succeeds may change something. */
  readonly changesData: boolean;
  /** Why the call cannot be made, if so. */
  readonly obstacle?: string;
}

/** A case of which only is said what the other cases of its operation do not have. */
export type Draft = Pick<Case, 'name' | 'callers' | 'expectation'> & Partial<Case>;

/** One of the declared successes. */
export const SUCCESS: Expectation = { kind: 'success' };

/** The methods that change nothing (RFC 9110 §9.2.1). */
export const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'QUERY'];
