import type { Row } from './row.ts';

const CONTROL_CHARACTERS = /\p{Cc}+/gu;

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
  const lines = [`${row.status.padEnd(4)}  ${row.check.padEnd(width)}  ${row.found}`];
  if (row.status !== 'ok') {
    lines.push(`      reason: ${row.reason}`);
    lines.push(`      remedy: ${row.key === undefined ? '' : `${row.key}: `}${row.remedy}`);
  }
  // Some of the text comes from the network, so control characters are removed.
  return lines.map((line) => line.replaceAll(CONTROL_CHARACTERS, ' '));
}
