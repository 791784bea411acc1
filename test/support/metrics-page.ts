/** One metric of a page in Prometheus' text format. */
export interface PageMetric {
  readonly type: string;
  /** The names of the labels of its series, without `le`. */
  readonly labels: readonly string[];
}

/** Reads the metrics of a page by their names; those of a histogram's parts are the histogram. */
export function readPage(text: string): ReadonlyMap<string, PageMetric> {
  const metrics = new Map<string, { type: string; labels: Set<string> }>();
  for (const line of text.split('\n')) {
    const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== '') {
      metrics.set(name, { type, labels: new Set() });
    }
    const [, series = '', labels = ''] = /^([a-z_]+)\{(.*)\} \S+$/.exec(line) ?? [];
    const metric = metrics.get(series) ?? metrics.get(series.replace(/_(?:bucket|sum|count)$/, ''));
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) {
      metric?.labels.add(label);
    }
  }
  return new Map(
    [...metrics].map(([name, { type, labels }]) => [
      name,
      { type, labels: [...labels].filter((label) => label !== 'le') },
    ]),
  );
}

/** The value of a series of a page, such as `gateway_sessions`, with its labels as the page has them. */
export function readSeries(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
