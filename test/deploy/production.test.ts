import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from '@jest/globals';
import { readOverlay, SECRETS_OF_OTHERS, type Overlay } from './overlay.ts';
import { describeWithKubectl, get, readObjects } from './rendered.ts';

describeWithKubectl('the overlay for production', () => {
  let overlay: Overlay;
  beforeAll(async () => {
    overlay = await readOverlay('overlays/production');
  });

  it('proves itself by workload identity as the app of gateway.yaml', () => {
    const { serviceAccountName } = overlay.deployment.spec.template.spec;
    const { clientId, tenant, credential } = overlay.config.identity;
    expect(get(overlay.objects, 'ServiceAccount', serviceAccountName).metadata.annotations).toEqual({
      'azure.workload.identity/client-id': clientId,
      'azure.workload.identity/tenant-id': tenant,
    });
    expect(overlay.deployment.spec.template.metadata.labels).toMatchObject({ 'azure.workload.identity/use': 'true' });
    // Where the webhook puts the token.
    expect(credential.federatedTokenFile).toBe('/var/run/secrets/azure/tokens/azure-identity-token');
  });

  it('shares tokens in Redis, whose port the NetworkPolicy permits', () => {
    const policy = get(overlay.objects, 'NetworkPolicy', 'obo-gateway-private').spec;
    const ports = policy.egress.flatMap(({ ports: list }) => list.map(({ port }) => port));
    const { redis } = overlay.config.tokenCache;
    expect(JSON.stringify(redis)).toMatch(new RegExp(`\\b(?:${ports.join('|')})\\b`));
  });

  it('never has fewer pods than zones, nor all of them on one signal', () => {
    const { spec } = get(overlay.objects, 'HorizontalPodAutoscaler');
    expect(spec.minReplicas).toBe(3);
    expect(overlay.deployment.spec.replicas).toBeUndefined();
    expect(spec.scaleTargetRef.name).toBe(overlay.deployment.metadata.name);
    expect(spec.metrics.map(({ resource, pods }) => resource?.name ?? pods?.metric.name)).toEqual([
      'cpu',
      'gateway_http_requests_in_flight',
    ]);
  });

  it('has room in every process for what the autoscaler counts on', () => {
    const { spec } = get(overlay.objects, 'HorizontalPodAutoscaler');
    const average = spec.metrics.map(({ pods }) => Number(pods?.target.averageValue)).find((value) => value > 0) ?? 0;
    expect(average).toBeGreaterThan(0);
    expect(average).toBeLessThan(overlay.config.server.maxInFlight / 2);
  });

  it('is scraped by its management Service', () => {
    const monitor = get(overlay.objects, 'ServiceMonitor');
    const service = get(overlay.objects, 'Service', 'obo-gateway-management');
    expect(service.metadata.labels).toEqual(monitor.spec.selector.matchLabels);
    expect(monitor.spec.endpoints).toMatchObject([{ port: service.spec.ports[0]?.name, path: '/metrics' }]);
  });

  it.each(['http-route', 'ingress'])('the example %s leads its public name to the Service of the API', (name) => {
    const [example] = readObjects(`examples/${name}.yaml`);
    const text = JSON.stringify(example);
    expect(example?.metadata.namespace).toBe(overlay.deployment.metadata.namespace);
    expect(text).toContain(JSON.stringify(new URL(overlay.config.server.publicUrl ?? '').hostname));
    expect(text).toContain('"name":"obo-gateway"');
    expect(text).not.toContain('management');
  });

  it('is described by docs/operate/kubernetes.md as it is', () => {
    const page = readFileSync(new URL('../../docs/operate/kubernetes.md', import.meta.url), 'utf8');
    const { namespace } = overlay.deployment.metadata;
    const { serviceAccountName } = overlay.deployment.spec.template.spec;
    expect(page).toContain(`system:serviceaccount:${namespace}:${serviceAccountName}`);
    for (const secret of Object.keys(SECRETS_OF_OTHERS)) {
      expect(page).toContain(`create secret generic ${secret}`);
    }
  });
});
