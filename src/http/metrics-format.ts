import type { MetricsFormat } from '../telemetry/metrics-page.ts';

const OPEN_METRICS = 'application/openmetrics-text';
const TEXT = ['text/plain', 'text/*', '*/*'] as const;

/** The versions that are spoken; a range without one takes any. */
const VERSIONS: Readonly<Record<string, string>> = { [OPEN_METRICS]: '1.0.0', 'text/plain': '0.0.4' };

/**
 * Chooses the form of the metrics page (RFC 9110 §12.5.1): OpenMetrics where the client names it and does not like the
 * older text better; a wildcard gets the text.
 *
 * @param accept the header `Accept`
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export function chooseMetricsFormat(accept: string | undefined): MetricsFormat {
  if (accept === undefined) {
    return 'text';
  }
  const ranges = accept.toLowerCase().split(',').map(readRange);
  const weightOf = (type: string): number | undefined => {
    const weights = ranges.filter((range) => range.type === type).map(({ weight }) => weight);
    return weights.length === 0 ? undefined : Math.max(...weights);
  };
  const wanted = weightOf(OPEN_METRICS) ?? 0;
  // The most specific range counts.
  const text = TEXT.map(weightOf).find((weight) => weight !== undefined) ?? 0;
  return wanted > 0 && wanted >= text ? 'openmetrics' : 'text';
}

interface MediaRange {
  readonly type: string;
  /** 0 for what is not acceptable, and for a version that is not spoken. */
  readonly weight: number;
}

function readRange(range: string): MediaRange {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
  const valueOf = (name: string): string | undefined =>
    parameters
      .find((parameter) => parameter.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .replaceAll('"', '');
  const version = valueOf('version');
  const spoken = VERSIONS[type];
  const weight = Number(valueOf('q') ?? 1);
  const isSpoken = version === undefined || spoken === undefined || version === spoken;
  return { type, weight: isSpoken && weight > 0 ? weight : 0 };
}
