import { beforeAll, describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from './kinds.ts';
import { describeWithSchemas, findFaults } from './object-schemas.ts';
import { describeWithKubectl, readObjects, render } from './rendered.ts';

describeWithSchemas('the objects of deploy/kubernetes', () => {
  describeWithKubectl('as kubectl renders them', () => {
    it.each(['overlays/production', 'overlays/dev'])(
      '%s fits the schemas of Kubernetes, with no unknown field',
      async (folder) => {
        expect(await findFaults(render(folder))).toEqual([]);
      },
    );
  });

  it('the examples fit the schemas', async () => {
    const examples = ['http-route', 'ingress'].flatMap((name) => readObjects(`examples/${name}.yaml`));
    expect(await findFaults(examples)).toEqual([]);
  });
});

/** A pod that is right but for what its container has besides. */
function podWith(changes: object): KubernetesObject {
  const spec = { containers: [{ name: 'gateway', image: 'obo-gateway', ...changes }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'gateway' }, spec } as KubernetesObject;
}

const MONITOR = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: { name: 'gateway' },
  spec: { selector: {}, endpoints: [{ prot: 'management' }] },
};

describeWithSchemas('the schemas', () => {
  const faulty: [string, KubernetesObject, string][] = [
    ['an unknown field', podWith({ livenessProb: {} }), 'livenessProb'],
    ['a value that is not on the list', podWith({ imagePullPolicy: 'Sometimes' }), '"Sometimes"'],
    ['a quantity that is none', podWith({ resources: { limits: { memory: '512 megabytes' } } }), 'format "quantity"'],
    ['a missing field', podWith({ ports: [{ name: 'http' }] }), 'containerPort'],
    ['an unknown field of an extension', MONITOR, 'prot'],
  ];
  let faults: string[];
  beforeAll(async () => {
    faults = await findFaults(faulty.map(([, object]) => object));
  });

  describe.each(faulty)('find %s', (_what, _object, named) => {
    it(`and say ${named}`, () => {
      expect(faults).toContainEqual(expect.stringContaining(named));
    });
  });
});
