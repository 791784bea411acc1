import type { CaseContext, Row } from './case.ts';

/** Writes the table of all figures as Markdown. */
export function renderTable(rows: readonly Row[]): string {
  const head = ['| figure | aim | seen | met | made from |', '| --- | --- | --- | --- | --- |'];
  const body = rows.map(({ figure, aim, seen, isMet, details }) => {
    const met = isMet === undefined ? '' : isMet ? 'yes' : '**no**';
    return `| ${[figure, aim, seen, met, details].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [...head, ...body].join('\n');
}

/** Writes the whole report: the table, how it was got, and the machine. */
export function renderReport(
  rows: readonly Row[],
  machine: readonly [string, string][],
  { pace, shortPace }: Pick<CaseContext, 'pace' | 'shortPace'>,
): string {
  return `# Results of \`npm run bench\`

${renderTable(rows)}

Each server has one core to itself; the load, the downstream and Entra share another, all on loopback. Ratios of
throughput are medians over ${pace.rounds} pairs of rounds of ${pace.seconds} s (a peer, the gateway, the next peer, the gateway, …) after
${pace.warmUpSeconds} s of warm-up of each, with 64 connections, where a line does not say otherwise; those without an
aim over ${shortPace.rounds} pairs of ${shortPace.seconds} s after ${shortPace.warmUpSeconds} s. The gateway runs as one process in production mode; its log, one line for each request, goes to \`/dev/null\` where
nothing else is said. Tokens are real: RS256 with 2048 bits, about 1.5 kB. A CPU time is that of the server alone, from
\`/proc\`; one megabyte is 1,048,576 bytes in streams and 1,000,000 bytes for what is resident.

${machine.map(([name, value]) => `- ${name}: ${value}`).join('\n')}
`;
}
