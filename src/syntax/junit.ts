/** One test of a report. */
export interface JunitCase {
  /** What belongs together. */
  readonly suite: string;
  readonly name: string;
  readonly durationMs?: number;
  /** Why it failed, if it did. */
  readonly failure?: string;
  /** Why it was skipped, if it was. */
  readonly skipped?: string;
}

/**
 * Writes a report as JUnit XML, the form that build servers read: a suite for each name in the order in which they come.
 *
 * @param name of the whole report
 * @param remarks what to say of a suite beside its tests, by its name
 */
export function renderJunit(
  name: string,
  cases: readonly JunitCase[],
  remarks: ReadonlyMap<string, string> = new Map(),
): string {
  const suites = new Map<string, JunitCase[]>();
  for (const suite of [...cases.map((test) => test.suite), ...remarks.keys()]) {
    suites.set(suite, []);
  }
  for (const test of cases) {
    suites.get(test.suite)?.push(test);
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${describeTests(name, cases)}>`,
    ...[...suites].flatMap(([suite, tests]) => renderSuite(suite, tests, remarks.get(suite))),
    '</testsuites>',
    '',
  ].join('\n');
}

function describeTests(name: string, cases: readonly JunitCase[]): string {
  const count = (key: 'failure' | 'skipped'): number => cases.filter((test) => test[key] !== undefined).length;
  return [
    attribute('name', name),
    `tests="${cases.length}" failures="${count('failure')}" errors="0" skipped="${count('skipped')}"`,
    time(cases.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0)),
  ].join(' ');
}

function renderSuite(suite: string, cases: readonly JunitCase[], remark: string | undefined): string[] {
  return [
    `  <testsuite ${describeTests(suite, cases)}>`,
    ...cases.flatMap(renderCase),
    ...(remark === undefined ? [] : [`    <system-out>${escape(remark)}</system-out>`]),
    '  </testsuite>',
  ];
}

function renderCase({ suite, name, durationMs = 0, failure, skipped }: JunitCase): string[] {
  const start = `    <testcase ${attribute('classname', suite)} ${attribute('name', name)} ${time(durationMs)}`;
  if (failure !== undefined) {
    return [`${start}>`, `      <failure ${attribute('message', failure)}/>`, '    </testcase>'];
  }
  return skipped === undefined
    ? [`${start}/>`]
    : [`${start}>`, `      <skipped ${attribute('message', skipped)}/>`, '    </testcase>'];
}

/** In seconds. */
function time(durationMs: number): string {
  return `time="${(durationMs / 1_000).toFixed(3)}"`;
}

function attribute(key: string, value: string): string {
  return `${key}="${escape(value)}"`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** What XML 1.0 §2.2 does not allow in any form, and the other control characters. */
const NEVER = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]|\p{Cs}/gu;

function escape(text: string): string {
  return text.replaceAll(NEVER, '\ufffd').replaceAll(/[&<>"'\t\n\r]/g, (character) => ENTITIES[character] ?? '');
}
