import { CHOSEN, each, quantile, rate, sumsOf, type Row } from './panel.ts';

/** What the gateway depends on, and what it remembers of it. */
export const DEPENDENCY_ROWS: readonly Row[] = [
  {
    title: 'Entra',
    panels: [
      {
        title: 'Exchanges by outcome',
        description: 'token: Entra gave one. Anything else is the class of the refusal.',
        kind: 'stacked lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_exchanges_total', 'outcome')],
      },
      {
        title: 'Exchange duration by downstream, p95',
        description: 'Is Entra slow? Each exchange is given up after 5 seconds.',
        kind: 'lines',
        unit: 's',
        queries: [
          { expr: quantile(0.95, 'gateway_exchange_duration_seconds', 'downstream'), legend: '{{downstream}}' },
        ],
      },
      {
        title: 'Time since the signing keys were fetched',
        description: 'They are fetched every hour.',
        kind: 'lines',
        unit: 's',
        queries: [each('gateway_signing_keys_age_seconds')],
      },
      {
        title: 'Time until credentials end',
        description: 'A federated token lives for an hour, and is renewed when a fifth of it is left.',
        kind: 'numbers',
        unit: 's',
        queries: [
          {
            expr: `min by (key) (gateway_credential_expiry_timestamp_seconds{${CHOSEN}}) - time()`,
            legend: '{{key}}',
          },
          {
            expr: `min(gateway_tls_certificate_expiry_timestamp_seconds{${CHOSEN}}) - time()`,
            legend: 'server.tls',
          },
        ],
      },
    ],
  },
  {
    title: 'Tokens and callers',
    panels: [
      {
        title: 'Look-ups that find a token',
        description: 'The share of hits in memory, and in Redis of those that were not in memory.',
        kind: 'lines',
        unit: 'percentunit',
        queries: [
          {
            expr:
              `sum by (level) (${rate('gateway_token_cache_total', 'outcome="hit"')})` +
              ` / sum by (level) (${rate('gateway_token_cache_total')})`,
            legend: '{{level}}',
          },
        ],
      },
      {
        title: 'Look-ups in Redis by outcome',
        description: 'skipped: Redis is left alone for a while, because it failed.',
        kind: 'stacked lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_token_cache_total', 'outcome', 'level="redis"')],
      },
      {
        title: 'Callers that are remembered',
        description: 'At the limit, those that called least recently are forgotten.',
        kind: 'lines',
        unit: 'none',
        queries: [each('gateway_sessions'), each('gateway_sessions_limit', '{{instance}} limit')],
      },
    ],
  },
  {
    title: 'Downstreams and Redis',
    panels: [
      {
        title: 'Calls by downstream',
        description: 'Calls that had an answer.',
        kind: 'lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_downstream_request_duration_seconds_count', 'downstream')],
      },
      {
        title: 'Time to the answer by downstream, p95',
        description: 'Until the head of the answer. Which downstream is slow?',
        kind: 'lines',
        unit: 's',
        queries: [
          {
            expr: quantile(0.95, 'gateway_downstream_request_duration_seconds', 'downstream'),
            legend: '{{downstream}}',
          },
        ],
      },
      {
        title: 'Circuits that opened',
        description: 'How often calls were stopped within the last hour.',
        kind: 'lines',
        unit: 'none',
        queries: [
          {
            expr: `sum by (circuit) (increase(gateway_circuit_openings_total{${CHOSEN}}[1h]))`,
            legend: '{{circuit}}',
          },
        ],
      },
      {
        title: 'Commands to Redis by outcome',
        description: 'Does Redis answer?',
        kind: 'stacked lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_redis_duration_seconds_count', 'outcome')],
      },
      {
        title: 'Duration of commands to Redis, p99',
        description: 'A request waits 20 ms for a look-up.',
        kind: 'lines',
        unit: 's',
        queries: [{ expr: quantile(0.99, 'gateway_redis_duration_seconds', 'operation'), legend: '{{operation}}' }],
      },
    ],
  },
];
