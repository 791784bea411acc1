import { describe, expect, it } from '@jest/globals';
import { chooseMetricsFormat } from '../../src/http/metrics-format.ts';

const PROMETHEUS =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

describe('the form of the metrics page', () => {
  it.each([
    ['of a client that says nothing', undefined, 'text'],
    ['of a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text'],
    ['of curl', '*/*', 'text'],
    ['of Prometheus', PROMETHEUS, 'openmetrics'],
    ['of Prometheus that was told to take text', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', 'text'],
    ['of a client that names OpenMetrics', 'application/openmetrics-text', 'openmetrics'],
    ['of one that names it in capitals', 'Application/OpenMetrics-Text; Version="1.0.0"', 'openmetrics'],
    ['of one that likes both', 'text/plain, application/openmetrics-text', 'openmetrics'],
    ['of one that likes text better', 'application/openmetrics-text;q=0.5, text/plain', 'text'],
    [
      'of one that likes other text better, but not this',
      'application/openmetrics-text;q=0.5, text/*, text/plain;q=0.1',
      'openmetrics',
    ],
    ['of one that refuses OpenMetrics', 'application/openmetrics-text;q=0', 'text'],
    ['of one that knows another version only', 'application/openmetrics-text;version=0.0.1', 'text'],
    ['of one that takes any application', 'application/*', 'text'],
    ['of one that says nonsense', ';;q=,,application/openmetrics-text;q=much', 'text'],
  ])('%s', (_, accept, format) => {
    expect(chooseMetricsFormat(accept)).toBe(format);
  });
});
