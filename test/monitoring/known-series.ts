import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { EXCHANGE_OUTCOMES } from '../../src/exchange/entra-tokens.ts';
import { codeOf, FAILURES, type Failure } from '../../src/failures.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { documentedMetrics } from '../support/documents.ts';
import { readPage } from '../support/metrics-page.ts';
import { readQuery, satisfies, type Selector } from '../support/promql.ts';

/** The files of deploy/monitoring/. */
export const FOLDER = new URL('../../deploy/monitoring/', import.meta.url);

/** A file of deploy/monitoring/. */
export function readShipped(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

/** A rule of prometheus-rules.yaml. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

/** All rules of prometheus-rules.yaml. */
export const RULES = (
  load(readShipped('prometheus-rules.yaml')) as { groups: { rules: readonly Rule[] }[] }
).groups.flatMap(({ rules }) => rules);

/** The names of the alerts, each once. */
export const ALERTS = [...new Set(RULES.flatMap(({ alert }) => (alert === undefined ? [] : [alert])))];

/** What Prometheus itself adds to the series of a target. */
const TARGET_LABELS = ['job', 'instance', 'namespace'];

/** The labels of every series that can be asked for. */
const LABELS = new Map<string, readonly string[]>([
  ['up', []],
  ['ALERTS', ['alertname', 'alertstate', 'severity']],
  ...RULES.flatMap(({ record }) => (record === undefined ? [] : [[record, []] as const])),
  ...documentedMetrics().flatMap(({ name, type, labels }) => seriesOf(name, type, labels)),
  ...(await processMetrics()).flatMap(([name, { type, labels }]) => seriesOf(name, type, labels)),
]);

/** The words that some labels can have. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  code: (Object.keys(FAILURES) as Failure[]).map(codeOf),
  level: ['memory', 'redis'],
  outcome: [...EXCHANGE_OUTCOMES, 'hit', 'miss'],
  circuit: ['entra', 'entra:72f988bf-86f1-41af-91ab-2d7cd011db47', 'downstream:graph', 'redis:lookups', 'redis:writes'],
  status: ['200', '401', '503'],
  key: ['identity.credential.certificate', 'identity.credential.federatedTokenFile'],
};

async function processMetrics() {
  const metrics = new Metrics({ downstreams: [], exchangeOutcomes: [] }, () => 0);
  return [...readPage((await metrics.render()).text)].filter(([name]) => !name.startsWith('gateway_'));
}

/** A histogram is three series, and none of its own name. */
function seriesOf(name: string, type: string, labels: readonly string[]): [string, readonly string[]][] {
  return type === 'histogram'
    ? [
        [`${name}_bucket`, [...labels, 'le']],
        [`${name}_sum`, labels],
        [`${name}_count`, labels],
      ]
    : [[name, labels]];
}

/** What is wrong with a query: metrics and labels that do not exist, words that a label never has. */
export function findFaults(query: string): string[] {
  const { selectors, grouping } = readQuery(query);
  const known = new Set([...TARGET_LABELS, ...selectors.flatMap(({ metric }) => LABELS.get(metric) ?? [])]);
  return [
    ...selectors.flatMap(findSelectorFaults),
    ...grouping.filter((label) => !known.has(label)).map((label) => `no series has the label ${label}`),
  ];
}

function findSelectorFaults({ metric, matchers }: Selector): string[] {
  const labels = LABELS.get(metric);
  if (labels === undefined) {
    return [`there is no ${metric}`];
  }
  return matchers.flatMap((matcher) => {
    const { label } = matcher;
    if (TARGET_LABELS.includes(label)) {
      return [];
    }
    if (!labels.includes(label)) {
      return [`${metric} has no label ${label}`];
    }
    const isPossible = VALUES[label]?.some((value) => satisfies(matcher, value)) ?? true;
    return isPossible ? [] : [`no ${label} of ${metric} is ${matcher.value}`];
  });
}
