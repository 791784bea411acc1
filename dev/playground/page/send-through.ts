/** What the call is sent through: what carries it to the API. */
export const SEND_THROUGH = {
  gateway: 'the gateway',
  engine: 'an engine',
} as const;

/** One of {@link SEND_THROUGH}. */
export type SendThrough = keyof typeof SEND_THROUGH;
