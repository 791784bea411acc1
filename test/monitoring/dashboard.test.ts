import { describe, expect, it } from '@jest/globals';
import { makeDashboard } from '../../dev/monitoring/dashboard.ts';
import { ROWS } from '../../dev/monitoring/panels.ts';
import { documentedMetrics } from '../support/documents.ts';
import { readQuery } from '../support/promql.ts';
import { findFaults, readShipped } from './known-series.ts';

const QUERIES = ROWS.flatMap(({ panels }) =>
  panels.flatMap(({ title, queries }) =>
    queries.map(({ expr }): [string, string] => [title, expr.replaceAll('$__rate_interval', '1m')]),
  ),
);

describe('the dashboard', () => {
  it('is what `npm run monitoring` makes of the panels', () => {
    expect(JSON.parse(readShipped('dashboard.json'))).toEqual(JSON.parse(JSON.stringify(makeDashboard())));
  });

  it.each(QUERIES)('%s asks only for series that exist: %s', (_, query) => {
    expect(findFaults(query)).toEqual([]);
  });

  it('shows every metric of our own', () => {
    const asked = QUERIES.flatMap(([, query]) => readQuery(query).selectors.map(({ metric }) => metric));
    const shown = new Set(asked.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
    const hidden = documentedMetrics().filter(({ name }) => !shown.has(name));
    expect(hidden).toEqual([]);
  });
});

describe('a query with a fault is found', () => {
  it.each([
    ['gateway_request_total', 'there is no gateway_request_total'],
    ['gateway_exchange_duration_seconds', 'there is no gateway_exchange_duration_seconds'],
    ['gateway_sessions{level="redis"}', 'gateway_sessions has no label level'],
    ['gateway_problems_total{code="overload"}', 'no code of gateway_problems_total is overload'],
    ['sum by (operation) (gateway_sessions)', 'no series has the label operation'],
  ])('%s: %s', (query, fault) => {
    expect(findFaults(query)).toEqual([fault]);
  });

  it('what is no PromQL', () => {
    expect(() => findFaults('sum by (job (up)')).toThrow('no PromQL');
  });
});
