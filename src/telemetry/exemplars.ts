import type { Sample } from './metrics-page.ts';
import type { MetricsSnapshot } from './metrics.ts';
import type { Exemplar } from './tally.ts';

/**
 * Gives the sums of several processes their exemplars, which prom-client leaves out of sums: of each line the latest.
 *
 * @param snapshots what was summed
 */
export function withExemplars(sums: MetricsSnapshot, snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const latest = new Map<string, Exemplar>();
  for (const sample of snapshots.flat().flatMap(({ values }) => values as readonly Sample[])) {
    const { exemplar } = sample;
    const key = keyOf(sample);
    if (exemplar !== undefined && exemplar !== null && exemplar.timestamp > (latest.get(key)?.timestamp ?? 0)) {
      latest.set(key, exemplar);
    }
  }
  return sums.map((metric) => ({ ...metric, values: metric.values.map((sample) => withExemplar(sample, latest)) }));
}

function withExemplar(sample: Sample, latest: ReadonlyMap<string, Exemplar>): Sample {
  const exemplar = latest.get(keyOf(sample));
  return exemplar === undefined ? sample : { ...sample, exemplar };
}

function keyOf({ metricName, labels }: Sample): string {
  return `${metricName} ${JSON.stringify(Object.entries(labels))}`;
}
