import type { Refusal } from './refusal.ts';

/** The facts of a refusal that Entra did not send. */
export const NOTHING_SAID: Omit<Refusal, 'class'> = {
  error: undefined,
  suberror: undefined,
  codes: [],
  claims: undefined,
  retryAt: undefined,
  traceId: undefined,
  status: 0,
};

/** Entra gave no token. */
export class ExchangeRefused extends Error {
  override readonly name = 'ExchangeRefused';
  readonly refusal: Refusal;
  /** The `client-request-id` of the exchange; `undefined` when Entra was not asked. */
  readonly correlationId: string | undefined;

  constructor(refusal: Refusal, correlationId?: string) {
    super(`Entra refused the exchange (${refusal.error ?? refusal.status})`);
    this.refusal = refusal;
    this.correlationId = correlationId;
  }
}

/** Entra gave no client assertion for an agent identity, which concerns all callers of that agent alike. */
export class AssertionRefused extends ExchangeRefused {
  /** The client id of the agent identity. */
  readonly agent: string;

  /**
   * @param refusal whatever it asks for, no caller can give it: it is the operator's to correct, or it passes by itself
   */
  constructor(refusal: Refusal, agent: string, correlationId?: string) {
    const ownClass = refusal.class === 'retry' ? 'retry' : 'misconfigured';
    super({ ...refusal, class: ownClass, claims: undefined, suberror: undefined }, correlationId);
    this.agent = agent;
  }
}

/** Entra was not asked, because at the moment it fails everyone, or everyone of the tenant. */
export class ExchangeNotTried extends ExchangeRefused {
  /** @param retryAt when Entra may be asked again; milliseconds on the monotonic clock */
  constructor(retryAt: number) {
    super({
      ...NOTHING_SAID,
      class: 'retry',
      error: 'Entra fails everyone, or all of this tenant; it was not asked',
      retryAt,
    });
  }
}

/** True when Entra itself fails, which says nothing about the caller: it is unreachable, too slow, or throttles. */
export function isOutage(error: unknown): error is ExchangeRefused {
  return error instanceof ExchangeRefused && error.refusal.class === 'retry';
}
