import { rmSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_SECRET } from '../../dev/emulator/world.ts';
import { run } from '../../src/cli.ts';
import { textsOf, readStages } from '../packaging/dockerfile.ts';
import { readOverlay, SECRETS_OF_OTHERS, type Overlay } from './overlay.ts';
import type { Secret } from './kinds.ts';
import { layOutFiles } from './pod-files.ts';
import { describeWithKubectl, find, get } from './rendered.ts';

const MEBIBYTE = 1_024 * 1_024;

/** What 100,000 sessions take, with the process itself: docs/performance.md. */
const MEASURED_MEMORY_BYTES = 397_000_000;

/** What requests under way may take besides: 64 MB of held bodies. */
const HELD_BODIES_BYTES = 64 * 1_000_000;

/** The profile `restricted` of Kubernetes' Pod Security Standards, and a root that cannot be written. */
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** Bytes of a quantity such as 512Mi. */
function toBytes(quantity = ''): number {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  return Number(number) * (unit === 'Gi' ? 1_024 : 1) * MEBIBYTE;
}

describeWithKubectl('the overlays of deploy/kubernetes', () => {
  describe.each(['overlays/production', 'overlays/dev'])('%s', (folder) => {
    let overlay: Overlay;
    beforeAll(async () => {
      overlay = await readOverlay(folder);
    });

    it('is checked by its init container as obo-gateway check does it, and passes without any network', async () => {
      const check = overlay.deployment.spec.template.spec.initContainers.find(({ name }) => name === 'check');
      expect(check?.image).toBe(overlay.gateway.image);
      const { args, folder: files } = layOutFiles(overlay.objects, check ?? overlay.gateway, SECRETS_OF_OTHERS);
      const lines: string[] = [];
      const write = (line: string): number => lines.push(line);
      const terminal = {
        env: {},
        writeOut: write,
        writeError: write,
        untilStopped: async () => {},
        onHangUp: () => {},
      };
      const code = await run(args, terminal);
      rmSync(files, { recursive: true });
      expect({ code, lines }).toEqual({ code: 0, lines: expect.not.arrayContaining([expect.stringMatching(/^fail/)]) });
      expect(args).toEqual(expect.arrayContaining(['check', '--offline', '--only', 'config']));
    });

    it('names the ports that gateway.yaml listens on', () => {
      const { port, management } = overlay.config.server;
      expect(overlay.gateway.ports).toEqual([
        { name: 'http', containerPort: port },
        { name: 'management', containerPort: management.port },
      ]);
    });

    it('listens where the kubelet can ask', () => {
      expect(overlay.config.server.management.host).toBe('0.0.0.0');
      expect(overlay.config.server.host).toBe('0.0.0.0');
    });

    it('is asked for its state on the management port', () => {
      const probes = (['startupProbe', 'readinessProbe', 'livenessProbe'] as const).map((name) => [
        name,
        overlay.gateway[name]?.httpGet,
      ]);
      expect(probes).toEqual([
        ['startupProbe', { path: '/livez', port: 'management' }],
        ['readinessProbe', { path: '/readyz', port: 'management' }],
        ['livenessProbe', { path: '/livez', port: 'management' }],
      ]);
    });

    it('may take as long to stop as gateway.yaml says, and five seconds more', () => {
      const { drainDelay, drainTimeout } = overlay.config.server;
      const { terminationGracePeriodSeconds } = overlay.deployment.spec.template.spec;
      expect(terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(drainDelay + drainTimeout + 5_000);
    });

    it('runs each container under the restricted profile, with a root that cannot be written', () => {
      const { spec } = overlay.deployment.spec.template;
      expect(overlay.containers.map(({ securityContext }) => securityContext)).toEqual(
        overlay.containers.map(() => RESTRICTED),
      );
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(get(overlay.objects, 'Namespace').metadata.labels).toMatchObject({
        'pod-security.kubernetes.io/enforce': 'restricted',
      });
    });

    it('runs as the user of the images', () => {
      const users = ['../../Dockerfile', '../../dev/Dockerfile'].flatMap((file) =>
        textsOf(readStages(new URL(file, import.meta.url)).at(-1) ?? [], 'USER'),
      );
      expect(users).toEqual(['1000:1000', '1000:1000']);
      expect(overlay.deployment.spec.template.spec.securityContext).toMatchObject({
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
      });
    });

    it('gives no container a token for the API of Kubernetes', () => {
      const { automountServiceAccountToken, serviceAccountName } = overlay.deployment.spec.template.spec;
      const account = get(overlay.objects, 'ServiceAccount', serviceAccountName);
      expect([automountServiceAccountToken, account.automountServiceAccountToken]).toEqual([false, false]);
    });

    it('replaces a pod only once the next one is ready', () => {
      expect(overlay.deployment.spec.strategy).toEqual({
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
      });
    });

    it('gives a process the one core that it uses, and memory for what was measured', () => {
      const { requests, limits } = overlay.gateway.resources;
      expect(overlay.config.server.workers).toBe(1);
      expect(requests['cpu']).toBe('1');
      expect(limits).toEqual({ memory: requests['memory'] });
      expect(toBytes(limits['memory'])).toBeGreaterThan(MEASURED_MEMORY_BYTES + HELD_BODIES_BYTES);
    });

    it('limits the memory of every container', () => {
      for (const { name, resources } of overlay.containers) {
        expect([name, resources]).toEqual([
          name,
          { requests: expect.anything(), limits: { memory: expect.anything() } },
        ]);
      }
    });

    it('mounts every volume, and has every volume that is mounted', () => {
      const mounted = overlay.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
      const volumes = overlay.deployment.spec.template.spec.volumes.map(({ name }) => name);
      expect([...new Set(mounted)].toSorted()).toEqual(volumes.toSorted());
    });

    it('mounts files so that nobody can write them', () => {
      const { volumes } = overlay.deployment.spec.template.spec;
      const writable = overlay.containers
        .flatMap(({ volumeMounts }) => volumeMounts)
        .filter(({ readOnly }) => readOnly !== true)
        .map(({ name }) => volumes.find((volume) => volume.name === name));
      expect(writable.filter((volume) => volume?.emptyDir === undefined)).toEqual([]);
    });

    it('has both files of the gateway in ConfigMaps whose names change with them', () => {
      const { volumes } = overlay.deployment.spec.template.spec;
      const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
      const files = sources.map(({ configMap }) => [
        configMap.name.replace(/-[a-z0-9]{10}$/, '-(hash)'),
        Object.keys(find(overlay.objects, 'ConfigMap', configMap.name)?.data ?? {}).join(),
      ]);
      expect(files).toEqual([
        ['obo-gateway-config-(hash)', 'gateway.yaml'],
        ['obo-gateway-contract-(hash)', 'openapi.yaml'],
      ]);
    });

    it('selects its pods by labels that they have', () => {
      const { matchLabels } = overlay.deployment.spec.selector;
      expect(overlay.deployment.spec.template.metadata.labels).toMatchObject(matchLabels);
      const selectors = overlay.objects.flatMap((object) => {
        const { spec } = object as unknown as { spec?: Record<string, unknown> };
        const selector = { Service: 'selector', NetworkPolicy: 'podSelector', PodDisruptionBudget: 'selector' }[
          object.kind
        ];
        return selector === undefined ? [] : [[object.kind, spec?.[selector]]];
      });
      for (const [kind, selector] of selectors) {
        expect([kind, selector]).toEqual([kind, kind === 'Service' ? matchLabels : { matchLabels }]);
      }
      expect(selectors.length).toBeGreaterThanOrEqual(3);
    });

    it('leads Services and NetworkPolicies to ports that there are', () => {
      const names = overlay.gateway.ports?.map(({ name }) => name);
      const targets = ['obo-gateway', 'obo-gateway-management'].map((name) => [
        name,
        get(overlay.objects, 'Service', name).spec.ports.map(({ targetPort }) => targetPort),
      ]);
      expect(targets).toEqual([
        ['obo-gateway', ['http']],
        ['obo-gateway-management', ['management']],
      ]);
      const { ingress } = get(overlay.objects, 'NetworkPolicy', 'obo-gateway').spec;
      expect(ingress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual(names);
    });

    it('lets Prometheus alone reach the management port', () => {
      const { ingress } = get(overlay.objects, 'NetworkPolicy', 'obo-gateway').spec;
      const rules = ingress.filter(({ ports }) => ports.some(({ port }) => port === 'management'));
      expect(rules).toHaveLength(1);
      expect(rules[0]?.from).toEqual([
        {
          namespaceSelector: expect.anything(),
          podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
        },
      ]);
    });

    it('has all its objects in its own namespace', () => {
      const { name } = get(overlay.objects, 'Namespace').metadata;
      const elsewhere = overlay.objects.filter(
        ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== name,
      );
      expect(elsewhere).toEqual([]);
    });

    it('holds no secret but that of the emulator', () => {
      const secrets = overlay.objects.filter(({ kind }) => kind === 'Secret') as Secret[];
      const texts = secrets
        .flatMap(({ data }) => Object.values(data))
        .map((text) => Buffer.from(text, 'base64').toString());
      expect(texts).toEqual(folder === 'overlays/dev' ? [GATEWAY_CLIENT_SECRET] : []);
    });
  });
});
