import { CHOSEN, each, rate, type Row } from './panel.ts';

/** What the processes have left, and how they fare. */
export const PROCESS_ROWS: readonly Row[] = [
  {
    title: 'Capacity',
    panels: [
      {
        title: 'Requests in flight',
        description: 'Beyond the limit they get 503 overloaded.',
        kind: 'lines',
        unit: 'none',
        queries: [
          each('gateway_http_requests_in_flight'),
          each('gateway_http_requests_in_flight_limit', '{{instance}} limit'),
        ],
      },
      {
        title: 'CPU',
        description: 'Cores. One process uses one, and some for its garbage collection.',
        kind: 'lines',
        unit: 'none',
        queries: [{ expr: rate('process_cpu_seconds_total'), legend: '{{instance}}' }],
      },
      {
        title: 'Memory',
        description: 'Resident, and the part of it that is JavaScript’s heap.',
        kind: 'lines',
        unit: 'bytes',
        queries: [
          each('process_resident_memory_bytes', '{{instance}} resident'),
          each('nodejs_heap_size_used_bytes', '{{instance}} heap'),
        ],
      },
      {
        title: 'Lag of the event loop, p99',
        description: 'Every request waits this long once more often than not when a process has too much to do.',
        kind: 'lines',
        unit: 's',
        queries: [each('nodejs_eventloop_lag_p99_seconds')],
      },
      {
        title: 'Garbage collection',
        description: 'The share of the time that it takes.',
        kind: 'lines',
        unit: 'percentunit',
        queries: [{ expr: `sum by (instance) (${rate('nodejs_gc_duration_seconds_sum')})`, legend: '{{instance}}' }],
      },
      {
        title: 'File descriptors',
        description: 'Each connection is one.',
        kind: 'lines',
        unit: 'none',
        queries: [each('process_open_fds'), each('process_max_fds', '{{instance}} limit')],
      },
    ],
  },
  {
    title: 'The processes',
    panels: [
      {
        title: 'Time since the start',
        description: 'A line that falls to 0 is a restart.',
        kind: 'lines',
        unit: 's',
        queries: [{ expr: `time() - process_start_time_seconds{${CHOSEN}}`, legend: '{{instance}}' }],
      },
      {
        title: 'Workers that were replaced',
        description: 'Within the last hour.',
        kind: 'lines',
        unit: 'none',
        queries: [{ expr: `increase(gateway_worker_restarts_total{${CHOSEN}}[1h])`, legend: '{{instance}}' }],
      },
      {
        title: 'Lines of the log that were lost',
        description: 'Within the last hour.',
        kind: 'lines',
        unit: 'none',
        queries: [{ expr: `increase(gateway_log_lines_dropped_total{${CHOSEN}}[1h])`, legend: '{{instance}}' }],
      },
      {
        title: 'Last reload',
        description: '1: the files that were read last are in use. 0: they were refused.',
        kind: 'lines',
        unit: 'none',
        queries: [each('gateway_config_last_reload_successful')],
      },
      {
        title: 'Age of the configuration',
        description: 'The time since files were last put into use.',
        kind: 'lines',
        unit: 's',
        queries: [
          { expr: `time() - gateway_config_last_reload_success_timestamp_seconds{${CHOSEN}}`, legend: '{{instance}}' },
        ],
      },
    ],
  },
];
