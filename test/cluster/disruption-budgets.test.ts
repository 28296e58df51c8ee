// A drained node, and the Pods that a PodDisruptionBudget keeps on it for the time being.
import { describe, expect, test } from 'vitest';
import { type Cluster, createCluster, validateObjects } from '../../src/cluster.ts';
import { deployment, parse, pods, terminating, workload } from './manifests.ts';

function budget(spec: string, name = 'web'): string {
  return `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: ${name}}
spec: {${spec}${spec === '' ? '' : ', '}selector: {matchLabels: {app: web}}}
---
`;
}

function clusterOf(manifest: string, nodes = 2): Cluster {
  const cluster = createCluster({ nodes });
  cluster.apply(parse(manifest));
  return cluster;
}

function countOn(cluster: Cluster, node: string): number {
  return pods(cluster).filter((pod) => pod.node === node).length;
}

describe('drain with a budget', () => {
  test('lets Pods of a Deployment go, for others are there at once', () => {
    const cluster = clusterOf(deployment('web', 4) + budget('maxUnavailable: 1'));
    expect(cluster.drain('node-1')).toEqual([]);
    expect(terminating(cluster)).toHaveLength(2);
    cluster.advance(30);
    expect(countOn(cluster, 'node-2')).toBe(4);
  });

  test('takes the Pods of a StatefulSet one after the other, each when the last is back elsewhere', () => {
    const cluster = clusterOf(workload('StatefulSet', 'web', 'replicas: 4, ') + budget('maxUnavailable: 1'));
    expect(cluster.drain('node-1')).toEqual(['default/web-2']);
    expect(terminating(cluster)).toEqual(['web-0']);
    cluster.advance(30);
    expect(terminating(cluster)).toEqual(['web-2']);
    cluster.advance();
    expect(countOn(cluster, 'node-2')).toBe(4);
  });

  test.each([['minAvailable: 4'], ['minAvailable: 100%'], ['maxUnavailable: 0'], ['maxUnavailable: 0%']])(
    'keeps all Pods with %s, until somebody makes room',
    (spec) => {
      const cluster = clusterOf(deployment('web', 4) + budget(spec));
      expect(cluster.drain('node-1')).toHaveLength(2);
      cluster.advance();
      expect(countOn(cluster, 'node-1')).toBe(2);
      cluster.delete([{ kind: 'PodDisruptionBudget', name: 'web' }]);
      expect(terminating(cluster)).toHaveLength(2);
    },
  );

  test('a share counts the replicas, rounded up', () => {
    const two = clusterOf(workload('StatefulSet', 'web', 'replicas: 6, ') + budget('maxUnavailable: 30%'), 1);
    two.drain('node-1');
    expect(terminating(two)).toHaveLength(2);
    const one = clusterOf(workload('StatefulSet', 'web', 'replicas: 6, ') + budget('minAvailable: 70%'), 1);
    one.drain('node-1');
    expect(terminating(one)).toHaveLength(1);
  });

  test('Pods that are not ready go only while enough others are, unless the policy lets them', () => {
    const scene = (spec: string) => {
      const cluster = clusterOf(workload('StatefulSet', 'web', 'replicas: 2, ') + budget(spec), 1);
      for (const pod of ['default/web-0', 'default/web-1']) cluster.setReady(pod, false);
      cluster.drain('node-1');
      return terminating(cluster);
    };
    expect(scene('minAvailable: 1')).toEqual([]);
    expect(scene('minAvailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow')).toEqual(['web-0', 'web-1']);
  });

  test('goes on when a Pod becomes ready, and stops when the node is taken back', () => {
    const cluster = clusterOf(workload('StatefulSet', 'web', 'replicas: 4, ') + budget('minAvailable: 3'));
    cluster.setReady('default/web-1', false);
    expect(cluster.drain('node-1')).toEqual(['default/web-0', 'default/web-2']);
    cluster.setReady('default/web-1', true);
    expect(terminating(cluster)).toEqual(['web-0']);
    cluster.uncordon('node-1');
    cluster.advance();
    expect(pods(cluster).find(({ name }) => name === 'web-2')?.node).toBe('node-1');
  });

  test('other Pods, other namespaces and disableEviction do not ask it', () => {
    const cluster = clusterOf(deployment('web', 2) + deployment('api', 2) + budget('maxUnavailable: 0'));
    expect(cluster.drain('node-1')).toEqual([expect.stringMatching(/^default\/web-/)]);
    expect(terminating(cluster)).toEqual([expect.stringMatching(/^api-/)]);
    expect(cluster.drain('node-1', { disableEviction: true })).toEqual([]);
    expect(terminating(cluster)).toHaveLength(2);
  });
});

test.each([
  ['maxUnavailable: 1, minAvailable: 1', 'spec.maxUnavailable may not be set beside spec.minAvailable'],
  ['maxUnavailable: -1', 'spec.maxUnavailable -1 is neither a number of Pods nor a share of them, such as 50%'],
  ['minAvailable: 150%', 'spec.minAvailable "150%" is neither'],
])('a budget with %s is refused', (spec, message) => {
  expect(validateObjects(parse(budget(spec))).map(({ path, message: text }) => `${path} ${text}`)).toEqual([
    expect.stringContaining(message),
  ]);
});
