import type { Contract } from './contract.ts';

/** Says in the log what an operator should know of the contract; once, whatever the number of processes. */
export function logNotices(
  { notices }: Pick<Contract, 'notices'>,
  log: { warn(fields: object, message: string): void },
): void {
  for (const { at, message, remedy } of notices) {
    log.warn({ at, remedy }, `${at}: ${message}`);
  }
}
