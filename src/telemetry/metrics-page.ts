import { Registry } from 'prom-client';
import type { MetricsSnapshot } from './metrics.ts';
import type { Exemplar } from './tally.ts';

/** The forms of the page: Prometheus' text 0.0.4, or OpenMetrics 1.0.0, which has exemplars. */
export type MetricsFormat = 'text' | 'openmetrics';

/** The page for Prometheus. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

type Metric = MetricsSnapshot[number];

/** One line of a metric; prom-client's own histograms have `null` for no exemplar. */
export type Sample = Metric['values'][number] & { readonly metricName?: string; readonly exemplar?: Exemplar | null };

/** Writes the page in Prometheus' text format. */
export async function renderText(registry: Registry): Promise<MetricsPage> {
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/**
 * Writes the page as OpenMetrics. prom-client would write it, too, but renames the counters of its registry while it
 * does, so that the next page in the other form lacked their `_total`.
 *
 * @see https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 */
export function renderOpenMetrics(metrics: MetricsSnapshot): MetricsPage {
  const text = `${metrics.map(renderMetric).join('\n')}\n# EOF\n`;
  return { contentType: Registry.OPENMETRICS_CONTENT_TYPE, text };
}

function renderMetric(metric: Metric): string {
  // The types of prom-client say numbers, its values are words.
  const type = String(metric.type);
  const family = type === 'counter' ? metric.name.replace(/_total$/, '') : metric.name;
  const samples = metric.values as readonly Sample[];
  const lines = (type === 'histogram' ? joinSeries(samples) : samples).map((sample) =>
    renderSample(type === 'counter' ? `${family}_total` : (sample.metricName ?? family), sample),
  );
  return [`# HELP ${family} ${escape(metric.help)}`, `# TYPE ${family} ${type}`, ...lines].join('\n');
}

/** Brings the lines with the same labels together, which a sum over processes does not do. */
function joinSeries(samples: readonly Sample[]): readonly Sample[] {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = seriesKey(sample);
    const known = series.get(key);
    if (known === undefined) {
      series.set(key, [sample]);
    } else {
      known.push(sample);
    }
  }
  return [...series.values()].flat();
}

/** What the lines of one histogram with the same labels have in common. */
function seriesKey({ labels }: Sample): string {
  return JSON.stringify(Object.entries(labels).filter(([name]) => name !== 'le'));
}

function renderSample(name: string, { labels, value, exemplar }: Sample): string {
  const entries = Object.entries(labels);
  const list = entries.map(([key, text]) => `${key}="${key === 'le' ? toCanonical(text) : escape(String(text))}"`);
  const line = `${name}${list.length === 0 ? '' : `{${list.join(',')}}`} ${toNumber(value)}`;
  return exemplar === undefined || exemplar === null ? line : `${line} # ${renderExemplar(exemplar)}`;
}

function renderExemplar({ labelSet, value, timestamp }: Exemplar): string {
  const labels = Object.entries(labelSet).map(([key, text]) => `${key}="${escape(text)}"`);
  return `{${labels.join(',')}} ${toNumber(value)} ${timestamp.toFixed(3)}`;
}

/** The bound of a bucket in the one form that it has in OpenMetrics: `1.0`, not `1`. */
function toCanonical(bound: string | number | undefined): string {
  const text = String(bound);
  return /^\d+$/.test(text) ? `${text}.0` : text;
}

function toNumber(value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
