/** One line of queries in a panel. */
export interface Query {
  /** PromQL, with the variables of Grafana. */
  readonly expr: string;
  /** How its series are called, with `{{label}}`. */
  readonly legend: string;
}

/** How a panel draws its queries. */
export type PanelKind = 'lines' | 'stacked lines' | 'states' | 'numbers' | 'table';

/** A panel of the dashboard: one question of somebody on call, and the queries that answer it. */
export interface Panel {
  readonly title: string;
  /** The question, or how the answer is to be read. */
  readonly description: string;
  readonly kind: PanelKind;
  /**
   * A unit of Grafana.
   *
   * @see https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/#unit
   */
  readonly unit: string;
  readonly queries: readonly Query[];
}

/** The panels that belong together. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** The gateways that the variables of the dashboard choose. */
export const CHOSEN = 'job=~"$job", instance=~"$instance"';

/** The growth of a counter of the chosen gateways, per second. */
export function rate(counter: string, matchers = ''): string {
  return `rate(${counter}{${CHOSEN}${matchers === '' ? '' : `, ${matchers}`}}[$__rate_interval])`;
}

/** What one in so many of the values of a histogram exceeds, for each value of a label. */
export function quantile(share: number, histogram: string, label?: string): string {
  const by = label === undefined ? 'le' : `${label}, le`;
  return `histogram_quantile(${share}, sum by (${by}) (${rate(`${histogram}_bucket`)}))`;
}

/** One query for a counter, as sums by a label. */
export function sumsOf(counter: string, label: string, matchers?: string): Query {
  return { expr: `sum by (${label}) (${rate(counter, matchers)})`, legend: `{{${label}}}` };
}

/** One query for a gauge, a series for each gateway. */
export function each(gauge: string, legend = '{{instance}}'): Query {
  return { expr: `${gauge}{${CHOSEN}}`, legend };
}
