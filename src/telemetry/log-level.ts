/** The levels of the log, from the one that says most; lines of a lower level than the log's are not written. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** One of the levels of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number];
