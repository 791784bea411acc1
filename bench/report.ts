import type { CaseContext, Row } from './case.ts';
import { MAX_STOLEN } from './measure/quiet-rounds.ts';

/** Writes the table of all figures as Markdown. */
export function renderTable(rows: readonly Row[]): string {
  const head = ['| figure | aim | seen | met | CPU | made from |', '| --- | --- | --- | --- | --- | --- |'];
  const body = rows.map(({ figure, aim, seen, isMet, cpuRatio, details }) => {
    const met = isMet === undefined ? '' : isMet ? 'yes' : '**no**';
    return `| ${[figure, aim, seen, met, cpuRatio?.toFixed(2) ?? '', details].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
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

Each server has one core to itself; the load, the downstream and Entra share another, all on loopback. The servers run on
the Node of the image where a line names no other. Ratios are medians over ${pace.rounds} pairs of rounds of ${pace.seconds} s (a peer, the
gateway, the next peer, the gateway, …) after ${pace.warmUpSeconds} s of warm-up of each but HAProxy, with 64 connections, where a line
does not say otherwise; some of those without an aim over ${shortPace.rounds} pairs of ${shortPace.seconds} s after ${shortPace.warmUpSeconds} s. Just before each
of its rounds a server gets the same load for ${pace.leadInSeconds} s that does not count, so that one that waited long begins as warm
as the others. The column CPU is the gateway's CPU time for a request or an event in that of the other server; it depends
less on the machine than the rates do. A CPU time is that of the server alone, with its workers, from \`/proc\`. Rounds in
which the hypervisor gave more than ${MAX_STOLEN * 100} % of the processors' time to other machines were measured again, a few times at
most and for a limited time of the run; the least disturbed ones count.

Where a line says "at the same time", the gateway and the other server share the server's core, each with a load of its
own: whatever the machine does meets both alike, so that two processes of one build come closer to 1 than in turn. Each
has half of the core then, so that only the CPU times for a request can be compared; a ratio of throughputs is what they
would be with a whole core each, by these times.

The bare proxy is \`node:http\` in front and undici behind, nothing else. The aim against HAProxy is 1 where the bare proxy
reaches 1.25 of HAProxy's throughput, else 0.8 of the bare proxy. Half of the throughput is half of what \`wrk\` saw of the
gateway just before, the median of as many rounds; requests are then sent at that rate whether or not earlier ones were
answered, and their time counts from the moment at which they were due.

The gateway runs as one process in production mode where a line does not say otherwise; its log, one line for each request,
goes to \`/dev/null\` where nothing else is said. Tokens are real: RS256 with 2048 bits, about 1.5 kB. One megabyte is
1,048,576 bytes in streams and 1,000,000 bytes for what is resident.

${machine.map(([name, value]) => `- ${name}: ${value}`).join('\n')}
`;
}
