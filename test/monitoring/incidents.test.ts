import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { EVENTS } from '../../src/telemetry/events.ts';
import { DOCS, quoted, readDocument, rowsOf } from '../support/documents.ts';
import { describeWithRedis } from '../support/redis-server.ts';
import { ALERTS, findFaults, RULES } from './known-series.ts';
import { INCIDENTS } from './provoke.ts';

const SECTIONS = ['What callers see', 'How to tell', 'What to do now', 'What to do afterwards'];
const PAGES = readdirSync(new URL('operate/incidents/', DOCS)).map((name) => name.replace('.md', ''));

function readPage(name: string): string {
  return readDocument(`operate/incidents/${name}.md`);
}

/** The blocks of code of a page in one language. */
function blocksOf(page: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm');
  return [...page.matchAll(fence)].map(([, text = '']) => text);
}

/** The page to which the alerts of this name lead. */
function pageOf(alert: string): string | undefined {
  const url = RULES.find((rule) => rule.alert === alert)?.annotations?.runbook_url;
  return /incidents\/(.+)\.md/.exec(url ?? '')?.[1];
}

/** The severities of the alerts of this name. */
function severitiesOf(alert: string): string {
  return RULES.flatMap((rule) => (rule.alert === alert ? [rule.labels?.severity] : [])).join(', ');
}

describe('the table of alerts in docs/operate/alerts.md', () => {
  it('has every alert with its severities and its page, and no other', () => {
    const documented = rowsOf('operate/alerts.md', 'alert').map(([alert, severities, , page = '']) => [
      quoted(alert)[0],
      severities,
      /incidents\/(.+)\.md\)/.exec(page)?.[1],
    ]);
    expect(documented).toEqual(ALERTS.map((alert) => [alert, severitiesOf(alert), pageOf(alert)]));
  });
});

describe.each(PAGES)('the page about the incident %s', (name) => {
  const page = readPage(name);

  it('says what callers see, how to tell, what to do now and what afterwards', () => {
    expect([...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual(SECTIONS);
  });

  it('names the alerts that lead to it', () => {
    const line = page.split('\n').find((text) => /^Alerts?: /.test(text));
    expect(quoted(line).toSorted()).toEqual(ALERTS.filter((alert) => pageOf(alert) === name).toSorted());
  });

  it('has queries that ask only for series that exist', () => {
    const queries = blocksOf(page, 'promql');
    expect(queries).not.toEqual([]);
    expect(queries.flatMap(findFaults)).toEqual([]);
  });

  it('names metrics and events that exist', () => {
    const words = quoted(page.replaceAll(/^```[^]*?^```/gm, ''));
    const metrics = words.filter(
      (word) => /^(?:gateway|process|nodejs)_[a-z0-9_]+$/.test(word) && word !== 'gateway_misconfigured',
    );
    expect(metrics.flatMap(findFaults)).toEqual([]);
    const events = words.filter((word) => /^(?:token|challenge|stepup|exchange|keys|credential)\.[a-z]+$/.test(word));
    expect(events.filter((word) => !(word in EVENTS))).toEqual([]);
  });
});

/** Whether a line has what a page quotes of it; "…" stands for anything. */
function fits(told: unknown, real: unknown): boolean {
  if (told === '…') {
    return real !== undefined;
  }
  if (typeof told !== 'object' || told === null) {
    return told === real;
  }
  return (
    typeof real === 'object' &&
    real !== null &&
    Object.entries(told).every(([name, value]) => fits(value, (real as Record<string, unknown>)[name]))
  );
}

/** Lines that take a limit of the system, or ten seconds, to provoke: tests of test/http and test/command do. */
const PROVOKED_ELSEWHERE: ReadonlySet<unknown> = new Set([
  'connections are dropped',
  'worker died, another takes its place',
]);

/** The lines that a page quotes and that {@link INCIDENTS} provokes. */
function quotedLines(name: string): Readonly<Record<string, unknown>>[] {
  return blocksOf(readPage(name), 'json')
    .map((text) => JSON.parse(text) as Record<string, unknown>)
    .filter(({ msg }) => !PROVOKED_ELSEWHERE.has(msg));
}

describe('the lines that the pages quote are those of the gateway', () => {
  it('every page with lines has its incident here', () => {
    const withLines = PAGES.filter((name) => quotedLines(name).length > 0);
    expect(Object.keys(INCIDENTS).toSorted()).toEqual(withLines.toSorted());
  });

  it.each(Object.keys(INCIDENTS).filter((name) => name !== 'redis'))('%s', compare);
});

describeWithRedis('the lines that are quoted about an incident of', () => {
  it.each(['redis'])('%s are those of the gateway', compare);
});

/** Provokes an incident, and looks for each line that its page quotes. */
async function compare(name: string): Promise<void> {
  const lines = (await INCIDENTS[name]?.()) ?? [];
  expect(quotedLines(name).filter((line) => !lines.some((real) => fits(line, real)))).toEqual([]);
}
