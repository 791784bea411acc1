import { Counter, type Metric, type Registry } from 'prom-client';

/** One line of a counter: a number that a request raises without naming its labels again. */
interface Count {
  readonly labels: Readonly<Record<string, string | number>>;
  value: number;
}

interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
}

/**
 * Makes a counter for what happens with every request. prom-client's own would check and hash the labels each time;
 * here the caller keeps the {@link Count} and adds to it, and prom-client gets the sums when somebody reads the page.
 *
 * @returns a function that adds a line to the counter
 */
export function createTally(
  labelNames: readonly string[],
  { name, help, registry }: MetricOptions,
): (labels: Count['labels']) => Count {
  const counts: Count[] = [];
  const counter: Counter = new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      counter.reset();
      counts.forEach(({ labels, value }) => counter.inc({ ...labels }, value));
    },
  });
  return (labels) => {
    const count = { labels, value: 0 };
    counts.push(count);
    return count;
  };
}

/** The default buckets of prom-client. */
const BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** A request that stands for those of its bucket. */
export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string>>;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

/** One line of a histogram, as prom-client keeps it. */
interface DurationSample {
  readonly labels: Record<string, string | number>;
  readonly value: number;
  readonly metricName: string;
  readonly exemplar?: Exemplar;
}

/** The durations with one label: the same as a histogram of prom-client, for what happens with every request. */
export class Durations {
  readonly #labels: Readonly<Record<string, string>>;
  readonly #counts: number[] = Array.from(BOUNDS_SECONDS, () => 0);
  /** The last traced request of each bucket; that beyond the last bound comes last. */
  readonly #exemplars: (Exemplar | undefined)[] = [];
  #sum = 0;
  #count = 0;

  constructor(labels: Readonly<Record<string, string>>) {
    this.#labels = labels;
  }

  /** @param traceId the trace in which the request can be looked at; `undefined` when there is none */
  observe(seconds: number, traceId?: string): void {
    this.#sum += seconds;
    this.#count += 1;
    let index = 0;
    while (index < BOUNDS_SECONDS.length && seconds > (BOUNDS_SECONDS[index] ?? 0)) {
      index += 1;
    }
    if (index < BOUNDS_SECONDS.length) {
      this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    }
    if (traceId !== undefined) {
      this.#exemplars[index] = { labelSet: { trace_id: traceId }, value: seconds, timestamp: Date.now() / 1_000 };
    }
  }

  /** The lines of the page, as prom-client keeps them. */
  read(name: string): DurationSample[] {
    let below = 0;
    const buckets = BOUNDS_SECONDS.map((le, index) => {
      below += this.#counts[index] ?? 0;
      return {
        labels: { le, ...this.#labels },
        value: below,
        metricName: `${name}_bucket`,
        ...this.#exemplarOf(index),
      };
    });
    const beyond = this.#exemplarOf(BOUNDS_SECONDS.length);
    return [
      ...buckets,
      { labels: { le: '+Inf', ...this.#labels }, value: this.#count, metricName: `${name}_bucket`, ...beyond },
      { labels: { ...this.#labels }, value: this.#sum, metricName: `${name}_sum` },
      { labels: { ...this.#labels }, value: this.#count, metricName: `${name}_count` },
    ];
  }

  #exemplarOf(index: number): { exemplar?: Exemplar } {
    const exemplar = this.#exemplars[index];
    return exemplar === undefined ? {} : { exemplar };
  }
}

/**
 * Makes a histogram of {@link Durations} by one label.
 *
 * @returns a function that adds the durations of one value of the label
 */
export function createDurations(label: string, { name, help, registry }: MetricOptions): (value: string) => Durations {
  const all: Durations[] = [];
  const metric = {
    name,
    get: () =>
      Promise.resolve({
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: all.flatMap((durations) => durations.read(name)),
      }),
  };
  // A registry needs no more of a metric than this, although its types accept only prom-client's own classes.
  registry.registerMetric(metric as unknown as Metric);
  return (value) => {
    const durations = new Durations({ [label]: value });
    all.push(durations);
    return durations;
  };
}
