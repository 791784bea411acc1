import { dump, load } from 'js-yaml';

/**
 * Wraps a file of rules into the object that the Prometheus operator reads.
 *
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
 */
export function makePrometheusRule(rules: string): string {
  const { groups } = load(rules) as { readonly groups: object };
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'obo-gateway', labels: { 'app.kubernetes.io/name': 'obo-gateway' } },
    spec: { groups },
  };
  return `# Made of prometheus-rules.yaml by \`npm run monitoring\`.\n${dump(object, { lineWidth: 120 })}`;
}
