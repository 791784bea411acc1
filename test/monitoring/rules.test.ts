import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { makePrometheusRule } from '../../dev/monitoring/prometheus-rule.ts';
import { anchorsOf, DOCS, readDocument } from '../support/documents.ts';
import { describeWith } from '../support/installed-program.ts';
import { ALERTS, findFaults, FOLDER, readShipped, RULES } from './known-series.ts';

interface AlertTest {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}

describe('the rules for Prometheus', () => {
  it.each(RULES.map(({ alert, record, labels, expr }) => [[alert ?? record, labels?.severity].join(' '), expr]))(
    '%s asks only for series that exist',
    (_, expr = '') => {
      expect(findFaults(expr)).toEqual([]);
    },
  );

  it('name the severity of each alert: critical or warning', () => {
    const others = RULES.filter(({ alert, labels }) => alert && !/^(?:critical|warning)$/.test(labels?.severity ?? ''));
    expect(others).toEqual([]);
  });

  it.each(ALERTS)('%s leads to a page that says what to do', (alert) => {
    for (const { annotations } of RULES.filter((rule) => rule.alert === alert)) {
      const [, path = '', anchor = ''] =
        /\/docs\/(operate\/incidents\/[^#]+)#(.+)$/.exec(annotations?.runbook_url ?? '') ?? [];
      expect([path, existsSync(new URL(path, DOCS))]).toEqual([path, true]);
      expect([...anchorsOf(readDocument(path))]).toContain(anchor);
    }
  });

  it('are the same for the Prometheus operator', () => {
    expect(load(readShipped('prometheus-rule.kubernetes.yaml'))).toEqual(
      load(makePrometheusRule(readShipped('prometheus-rules.yaml'))),
    );
  });
});

describe('the tests of the rules', () => {
  const { tests } = load(readShipped('prometheus-rules.test.yaml')) as { tests: { alert_rule_test: AlertTest[] }[] };
  const cases = tests.flatMap(({ alert_rule_test: list }) => list);
  const namesOf = (list: readonly AlertTest[]): string[] => [...new Set(list.map(({ alertname }) => alertname))];

  it('have a case in which each alert fires, and one in which it does not', () => {
    expect(namesOf(cases.filter(({ exp_alerts: fired }) => fired.length > 0)).toSorted()).toEqual(ALERTS.toSorted());
    expect(namesOf(cases.filter(({ exp_alerts: fired }) => fired.length === 0)).toSorted()).toEqual(ALERTS.toSorted());
  });
});

const isInstalled = spawnSync('promtool', ['--version']).status === 0;

describeWith('promtool', isInstalled, 'promtool', () => {
  it.each([
    ['check rules', ['check', 'rules', '--lint=all', '--lint-fatal', 'prometheus-rules.yaml']],
    ['check config', ['check', 'config', 'prometheus.yml']],
    ['test rules', ['test', 'rules', 'prometheus-rules.test.yaml']],
  ])(
    '%s is content',
    (_, args) => {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: fileURLToPath(FOLDER), encoding: 'utf8' });
      expect([status, status === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, '']);
    },
    120_000,
  );
});
