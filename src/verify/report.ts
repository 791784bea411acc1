import type { Outcome } from './run-cases.ts';

/** `pass  listOrders  without a token`, with the reason in parentheses where there is one. */
export function formatOutcome({ verdict, operation, case: name, why }: Outcome): string {
  return `${verdict}  ${operation}  ${name}${why === undefined ? '' : `  (${showSafely(why)})`}`;
}

const MAX_REASON = 500;

/** What a gateway answered may be hostile: no control characters, no token, no flood. */
function showSafely(text: string): string {
  const plain = text.replaceAll(/\p{Cc}+/gu, ' ').replaceAll(/eyJ[\w-]+(?:\.[\w-]*)*/g, '(a token)');
  return plain.length > MAX_REASON ? `${plain.slice(0, MAX_REASON)}…` : plain;
}

/** `12 passed, 0 failed, 3 skipped`. */
export function summarise(outcomes: readonly Outcome[]): string {
  const count = (verdict: Outcome['verdict']): number =>
    outcomes.filter((outcome) => outcome.verdict === verdict).length;
  return `${count('pass')} passed, ${count('FAIL')} failed, ${count('skip')} skipped`;
}
