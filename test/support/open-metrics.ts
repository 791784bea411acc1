/** A sample of a page in OpenMetrics. */
export interface OpenMetricsSample {
  readonly family: string;
  readonly type: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    readonly at: number;
  };
}

const LABELS = String.raw`(?:\w+="(?:[^"\\\n]|\\[\\n"])*"(?:,|(?=\})))*`;
const NUMBER = String.raw`(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)`;
const SAMPLE = new RegExp(
  `^([a-z_]\\w*)(?:\\{(${LABELS})\\})? (${NUMBER})(?: # \\{(${LABELS})\\} (${NUMBER}) (\\d+\\.\\d+))?$`,
);

/** What the names of the samples of a type end with, besides the name of their family. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

/** The most characters of an exemplar's labels. */
const MAX_EXEMPLAR_CHARACTERS = 128;

/**
 * Reads a page in OpenMetrics 1.0.0 and accepts nothing else.
 *
 * @throws {Error} with the first line that breaks a rule
 */
export function readOpenMetrics(text: string): OpenMetricsSample[] {
  if (!text.endsWith('\n# EOF\n')) {
    throw new Error('the page does not end with # EOF');
  }
  const samples: OpenMetricsSample[] = [];
  const families = new Map<string, string>();
  let family = '';
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const [, declared, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (declared !== undefined && type !== undefined) {
      demand(!families.has(declared), `declared twice: ${line}`);
      families.set(declared, type);
      family = declared;
    } else if (!/^# HELP \S+ (?:[^"\\\n]|\\[\\n"])+$/.test(line)) {
      samples.push(readSample(line, family, families.get(family) ?? ''));
    }
  }
  checkHistograms(samples.filter(({ type }) => type === 'histogram'));
  return samples;
}

function readSample(line: string, family: string, type: string): OpenMetricsSample {
  const [, name = '', labels = '', value = '', exemplarLabels, exemplarValue, at] = SAMPLE.exec(line) ?? [];
  demand(name !== '', `no sample: ${line}`);
  demand(SUFFIXES[type]?.includes(name.replace(family, '')) === true, `not of the family ${family}: ${line}`);
  const sample = { family, type, name, labels: readLabels(labels), value: toNumber(value) };
  if (exemplarLabels === undefined) {
    return sample;
  }
  demand(exemplarLabels.length <= MAX_EXEMPLAR_CHARACTERS, `an exemplar that is too long: ${line}`);
  demand(name.endsWith('_bucket') || name.endsWith('_total'), `an exemplar where there can be none: ${line}`);
  const exemplar = { labels: readLabels(exemplarLabels), value: toNumber(exemplarValue ?? ''), at: Number(at) };
  return { ...sample, exemplar };
}

function readLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
}

function toNumber(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}

/** The lines of one histogram stand together, its bounds rise to +Inf in the canonical form, and its counts too. */
function checkHistograms(samples: readonly OpenMetricsSample[]): void {
  const seen = new Set<string>();
  let current = '';
  let last: OpenMetricsSample | undefined;
  for (const sample of samples) {
    const { le, ...others } = sample.labels;
    const key = `${sample.family}${JSON.stringify(others)}`;
    if (key !== current) {
      demand(!seen.has(key), `the lines of ${key} do not stand together`);
      seen.add(key);
      current = key;
      last = undefined;
    }
    if (le !== undefined) {
      demand(/^(?:\+Inf|\d+\.\d+)$/.test(le), `the bound ${le} is not canonical`);
      const isRising =
        last === undefined || (toNumber(le) > toNumber(last.labels['le'] ?? '') && sample.value >= last.value);
      demand(isRising, `the buckets of ${key} do not rise`);
      last = sample;
    }
    if (sample.name.endsWith('_count')) {
      demand(
        last?.labels['le'] === '+Inf' && last.value === sample.value,
        `the buckets of ${key} do not hold everything`,
      );
    }
  }
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) {
    throw new Error(otherwise);
  }
}
