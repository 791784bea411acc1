import { renderJunit } from '../syntax/junit.ts';
import type { Findings } from './check-deployment.ts';
import type { Row } from './row.ts';

/** Some of the text comes from the network, so control characters are removed. */
function toPlain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** Writes the rows as a table: plain text, the reason and the remedy under each row that has them, a sum at the end. */
export function renderReport(rows: readonly Row[]): string[] {
  const width = Math.max(0, ...rows.map(({ check }) => check.length));
  const count = (status: Row['status']) => rows.filter((row) => row.status === status).length;
  return [
    ...rows.flatMap((row) => renderRow(row, width)),
    `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failures`,
  ];
}

function renderRow(row: Row, width: number): string[] {
  return [`${row.status.padEnd(4)}  ${row.check.padEnd(width)}  ${row.found}`, ...adviceOf(row)].map(toPlain);
}

function adviceOf(row: Row): string[] {
  return row.status === 'ok'
    ? []
    : [`      reason: ${row.reason}`, `      remedy: ${row.key === undefined ? '' : `${row.key}: `}${row.remedy}`];
}

/** Writes the rows as a JSON list. Each has all members, `null` where there is nothing to say. */
export function renderJson(findings: Findings): string {
  const list = [...findings].flatMap(([check, rows]) =>
    rows.map((row) => {
      const { reason, remedy, key } = row.status === 'ok' ? {} : row;
      const plain = (text: string | undefined): string | null => (text === undefined ? null : toPlain(text));
      return {
        check,
        outcome: row.status,
        what: toPlain(`${row.check}: ${row.found}`),
        reason: plain(reason),
        remedy: plain(remedy),
        key: plain(key),
      };
    }),
  );
  return JSON.stringify(list, undefined, 2);
}

/** Writes the rows as JUnit XML: a suite for each check. JUnit has no warnings, so they are the output of their suite. */
export function renderXml(findings: Findings): string {
  const cases = [...findings].flatMap(([suite, rows]) =>
    rows.map((row) => ({
      suite,
      name: toPlain(row.check),
      ...(row.status === 'fail' ? { failure: [row.found, ...adviceOf(row)].map(toPlain).join('\n') } : {}),
    })),
  );
  const warnings = [...findings].flatMap(([suite, rows]) => {
    const lines = rows.filter(({ status }) => status === 'warn').flatMap((row) => renderRow(row, 0));
    return lines.length === 0 ? [] : [[suite, lines.join('\n')] as const];
  });
  return renderJunit('obo-gateway check', cases, new Map(warnings)).trimEnd();
}
