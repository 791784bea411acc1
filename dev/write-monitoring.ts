import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { makeDashboard } from './monitoring/dashboard.ts';
import { makePrometheusRule } from './monitoring/prometheus-rule.ts';

const FOLDER = new URL('../deploy/monitoring/', import.meta.url);

/** Writes the generated files of deploy/monitoring/ (`npm run monitoring`). */
async function main(): Promise<void> {
  const dashboard = JSON.stringify(makeDashboard());
  writeFileSync(new URL('dashboard.json', FOLDER), await format(dashboard, { parser: 'json', printWidth: 120 }));
  const rule = makePrometheusRule(readFileSync(new URL('prometheus-rules.yaml', FOLDER), 'utf8'));
  const options = { parser: 'yaml', printWidth: 120, singleQuote: true };
  writeFileSync(new URL('prometheus-rule.kubernetes.yaml', FOLDER), await format(rule, options));
}

await main();
