import { renderJunit } from '../syntax/junit.ts';
import type { Coverage, OperationCoverage, Share } from './coverage.ts';
import type { Outcome } from './outcome.ts';

/** Everything that a verification found. */
export interface VerifyReport {
  readonly outcomes: readonly Outcome[];
  readonly coverage: Coverage;
}

/** `pass  listOrders  without a token`, with the reason in parentheses where there is one. */
export function formatOutcome({ verdict, subject, case: name, why }: Outcome): string {
  return showSafely(`${verdict}  ${subject}  ${name}`) + (why === undefined ? '' : `  (${showSafely(why)})`);
}

const MAX_REASON = 500;

/** What a gateway answered may be hostile: no control characters, no token, no flood. */
function showSafely(text: string): string {
  const plain = text.replaceAll(/\p{Cc}+/gu, ' ').replaceAll(/eyJ[\w-]+(?:\.[\w-]*)*/g, '(a token)');
  return plain.length > MAX_REASON ? `${plain.slice(0, MAX_REASON)}…` : plain;
}

/** What follows the outcomes: the declared answers that no call got, the coverage of the contract, and the sums. */
export function formatSummary({ outcomes, coverage }: VerifyReport): string[] {
  const { operations, parameters, bodies, responses } = coverage;
  const { passed, failed, skipped } = countVerdicts(outcomes);
  return [
    ...coverage.byOperation.flatMap((operation) => {
      const unmet = nameUnmet(operation);
      return unmet === undefined ? [] : [showSafely(`unmet  ${operation.operation}  ${unmet}`)];
    }),
    `coverage  ${describe(operations)} operations, ${describe(parameters)} parameters, ${describe(bodies)} bodies, ${describe(responses)} responses`,
    `${passed} passed, ${failed} failed, ${skipped} skipped`,
  ];
}

function describe({ tried, declared }: Share): string {
  return `${tried} of ${declared}`;
}

/** `404 application/json, 5XX`: what the operation declares and no call got. */
function nameUnmet({ responses }: OperationCoverage): string | undefined {
  const unmet = responses.filter(({ tried }) => !tried);
  const names = unmet.map(({ status, mediaType }) => (mediaType === undefined ? status : `${status} ${mediaType}`));
  return names.length === 0 ? undefined : names.join(', ');
}

function countVerdicts(outcomes: readonly Outcome[]): { passed: number; failed: number; skipped: number } {
  const count = (verdict: Outcome['verdict']): number =>
    outcomes.filter((outcome) => outcome.verdict === verdict).length;
  return { passed: count('pass'), failed: count('FAIL'), skipped: count('skip') };
}

/** The report as JSON text. */
export function renderJson({ outcomes, coverage }: VerifyReport): string {
  const { byOperation, ...shares } = coverage;
  const report = {
    ...countVerdicts(outcomes),
    outcomes: outcomes.map(({ subject, case: name, verdict, why, status, durationMs }) => ({
      subject: showSafely(subject),
      case: showSafely(name),
      outcome: verdict.toLowerCase(),
      ...(why === undefined ? {} : { reason: showSafely(why) }),
      ...(status === undefined ? {} : { status }),
      durationMs: Math.round(durationMs),
    })),
    unmet: byOperation.flatMap(({ operation, responses }) =>
      responses
        .filter(({ tried }) => !tried)
        .map(({ status, mediaType }) => ({ operation, status, ...(mediaType === undefined ? {} : { mediaType }) })),
    ),
    coverage: shares,
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** The report as JUnit XML: a suite for each operation, path and document. */
export function renderXml({ outcomes, coverage }: VerifyReport): string {
  return renderJunit(
    'obo-gateway verify',
    outcomes.map(({ subject, case: name, verdict, why = '', durationMs }) => ({
      suite: showSafely(subject),
      name: showSafely(name),
      durationMs,
      ...(verdict === 'FAIL' ? { failure: showSafely(why) } : {}),
      ...(verdict === 'skip' ? { skipped: showSafely(why) } : {}),
    })),
    new Map(
      coverage.byOperation.flatMap((operation) => {
        const unmet = nameUnmet(operation);
        return unmet === undefined ? [] : [[showSafely(operation.operation), `declared, but no call got: ${unmet}`]];
      }),
    ),
  );
}
