import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api';
import { hrTime, millisToHrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type CollectionResult,
  type DataPoint,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { BUILD } from '../../runtime/build.ts';
import type { MetricsSnapshot } from '../metrics.ts';

type Metric = MetricsSnapshot[number];
type Sample = Metric['values'][number] & { readonly metricName?: string };

/** The units of UCUM by the words with which names of Prometheus end, without `_total`. */
const UNITS: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By' };

/** When the counts of this process began. */
const STARTED_AT: HrTime = millisToHrTime(Math.round(performance.timeOrigin));

/**
 * Gives the values of the metrics page to the SDK, under the names that they have there, so that a dashboard finds the
 * same series whichever way they came.
 *
 * @param read the values as they are now
 */
export function createMetricProducer(read: () => Promise<MetricsSnapshot>): MetricProducer {
  return {
    async collect(): Promise<CollectionResult> {
      const endTime = hrTime();
      const metrics = (await read()).flatMap((metric) => toMetricData(metric, endTime) ?? []);
      const scopeMetrics = [{ scope: { name: 'obo-gateway', version: BUILD.version }, metrics }];
      return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
    },
  };
}

function toMetricData(metric: Metric, endTime: HrTime): MetricData | undefined {
  const { name, help, values } = metric;
  const descriptor = { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const toPoint = <T>(labels: Attributes, value: T): DataPoint<T> => ({
    startTime: STARTED_AT,
    endTime,
    attributes: labels,
    value,
  });
  // The types of prom-client say numbers, its values are words.
  switch (String(metric.type)) {
    case 'counter': {
      const dataPoints = values.map(({ labels, value }) => toPoint(labels as Attributes, value));
      return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
    }
    case 'gauge': {
      const dataPoints = values.map(({ labels, value }) => toPoint(labels as Attributes, value));
      return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
    }
    case 'histogram': {
      const dataPoints = groupHistograms(name, values).map(({ labels, value }) => toPoint(labels, value));
      return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    }
    default:
      return undefined;
  }
}

function unitOf(name: string): string {
  return UNITS[/([a-z]+)(?:_total)?$/.exec(name)?.[1] ?? ''] ?? '';
}

interface HistogramPoint {
  readonly labels: Attributes;
  readonly value: Histogram;
}

/** Makes one point of the samples that have the same labels; the page counts buckets from 0 on, OTLP each by itself. */
function groupHistograms(name: string, samples: readonly Sample[]): HistogramPoint[] {
  const groups = new Map<string, { labels: Attributes; below: [number, number][]; sum: number; count: number }>();
  for (const { labels, value, metricName } of samples) {
    const { le, ...others } = labels as Record<string, string | number>;
    const key = JSON.stringify(others);
    const group = groups.get(key) ?? { labels: others, below: [], sum: 0, count: 0 };
    groups.set(key, group);
    if (metricName === `${name}_sum`) {
      group.sum = value;
    } else if (metricName === `${name}_count`) {
      group.count = value;
    } else if (le !== '+Inf') {
      group.below.push([Number(le), value]);
    }
  }
  return [...groups.values()].map(({ labels, below, sum, count }) => {
    const counts = [...below.map(([, upTo]) => upTo), count].map((upTo, index, all) => upTo - (all[index - 1] ?? 0));
    return { labels, value: { buckets: { boundaries: below.map(([le]) => le), counts }, sum, count } };
  });
}
