import type { Refusal } from './refusal.ts';

/** The facts of a refusal that Entra did not utter. */
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
  /** The `client-request-id` that Entra has it under; `undefined` when Entra was not asked. */
  readonly correlationId: string | undefined;

  constructor(refusal: Refusal, correlationId?: string) {
    super(`Entra refused the exchange (${refusal.error ?? refusal.status})`);
    this.refusal = refusal;
    this.correlationId = correlationId;
  }
}

/** Entra was not even asked, because it fails everyone, or all of the tenant, at the moment. */
export class ExchangeNotTried extends ExchangeRefused {
  /** @param retryAt when it is worth asking again; on the monotonic clock */
  constructor(retryAt: number) {
    super({
      ...NOTHING_SAID,
      class: 'retry',
      error: 'Entra fails everyone, or all of this tenant; it was not asked',
      retryAt,
    });
  }
}

/** True for a failure of Entra's own, which says nothing about the caller: it is down, too slow, or throttles. */
export function isOutage(error: unknown): error is ExchangeRefused {
  return error instanceof ExchangeRefused && error.refusal.class === 'retry';
}
