import { CHOSEN, quantile, rate, sumsOf, type Row } from './panel.ts';

/** What happens now, and what callers see. */
export const CALLER_ROWS: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      {
        title: 'Alerts that fire',
        description: 'docs/operate/alerts.md says what each means; its page says what to do.',
        kind: 'table',
        unit: 'none',
        queries: [
          {
            expr: 'count by (alertname, severity) (ALERTS{alertname=~"Gateway.+", alertstate="firing", job=~"$job|"})',
            legend: '',
          },
        ],
      },
      {
        title: 'Gateways',
        description: 'What runs, and how many of each. Two lines outside of a rolling update are one too many.',
        kind: 'table',
        unit: 'none',
        queries: [{ expr: `count by (version, commit, node) (gateway_build_info{${CHOSEN}})`, legend: '' }],
      },
      {
        title: 'Circuits',
        description: 'Which calls are stopped? One that nobody calls stays half-open.',
        kind: 'states',
        unit: 'none',
        queries: [{ expr: `max by (circuit) (gateway_circuit_state{${CHOSEN}})`, legend: '{{circuit}}' }],
      },
    ],
  },
  {
    title: 'What callers see',
    panels: [
      {
        title: 'Requests by status',
        description: '499: the caller left before the answer.',
        kind: 'stacked lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_http_requests_total', 'status')],
      },
      {
        title: 'Share of 5xx',
        description: 'Whoever failed. The objective of the alerts is less than 0.1 % in 30 days.',
        kind: 'lines',
        unit: 'percentunit',
        queries: [
          {
            expr:
              `(sum(${rate('gateway_http_requests_total', 'status=~"5.."')}) or vector(0))` +
              ` / sum(${rate('gateway_http_requests_total')})`,
            legend: '5xx',
          },
        ],
      },
      {
        title: 'Duration',
        description: 'From the head of the request to the end of the answer, streams included.',
        kind: 'lines',
        unit: 's',
        queries: [0.5, 0.95, 0.99].map((share) => ({
          expr: quantile(share, 'gateway_http_request_duration_seconds'),
          legend: `p${100 * share}`,
        })),
      },
      {
        title: 'Requests by way',
        description: '`proxy`: the gateway forwards. `check`: an engine asks about a call that it carries itself.',
        kind: 'lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_http_requests_total', 'via')],
      },
      {
        title: 'Requests by operation',
        description: 'Which operation is called? `none` was refused before it was known.',
        kind: 'lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_http_requests_total', 'operation')],
      },
      {
        title: '5xx by operation',
        description: 'Which operation fails?',
        kind: 'lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_http_requests_total', 'operation', 'status=~"5.."')],
      },
      {
        title: 'Duration by operation, p95',
        description: 'Which operation is slow?',
        kind: 'lines',
        unit: 's',
        queries: [
          { expr: quantile(0.95, 'gateway_http_request_duration_seconds', 'operation'), legend: '{{operation}}' },
        ],
      },
      {
        title: 'Refusals and errors by code',
        description: 'Why does the gateway say no? docs/answers.md has each code.',
        kind: 'stacked lines',
        unit: 'reqps',
        queries: [sumsOf('gateway_problems_total', 'code')],
      },
    ],
  },
];
