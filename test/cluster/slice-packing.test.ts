// Slices of at most 100 endpoints, and that a change touches as few of them as it can.
import { describe, expect, test } from 'vitest';
import { listOf } from '../../src/cluster/fields.ts';
import { type Cluster, createCluster } from '../../src/cluster.ts';
import { parse, service, workload } from './manifests.ts';

function clusterOf(replicas: number): Cluster {
  const cluster = createCluster();
  cluster.apply(parse(service('web') + workload('StatefulSet', 'web', `replicas: ${replicas}, `)));
  return cluster;
}

function sizes(cluster: Cluster): Record<string, number> {
  return Object.fromEntries(cluster.objects('EndpointSlice').map((slice) => [slice.metadata.name, listOf(slice.endpoints).length]));
}

/** The names of the slices that a change writes, creates or removes. */
function touchedBy(cluster: Cluster, change: () => void): string[] {
  const before = new Map(cluster.objects('EndpointSlice').map((slice) => [slice.metadata.name, slice]));
  change();
  const after = cluster.objects('EndpointSlice');
  const written = after.filter((slice) => before.get(slice.metadata.name) !== slice);
  const gone = [...before.keys()].filter((name) => !after.some((slice) => slice.metadata.name === name));
  return [...written.map(({ metadata }) => metadata.name), ...gone];
}

describe('slices', () => {
  test('hold 100 endpoints, and the rest is in another one', () => {
    expect(Object.values(sizes(clusterOf(230))).sort()).toEqual([100, 100, 30]);
  });

  test('a Pod that becomes unready is written into its slice alone, in its place', () => {
    const cluster = clusterOf(250);
    const before = sizes(cluster);
    expect(touchedBy(cluster, () => cluster.setReady('default/web-5', false))).toHaveLength(1);
    expect(sizes(cluster)).toEqual(before);
  });

  test('Pods that go leave a hole; new ones fill what has room, and nothing is moved', () => {
    const cluster = clusterOf(150);
    const before = sizes(cluster);
    const [full, half] = Object.entries(before).sort(([, a], [, b]) => b - a);
    expect(touchedBy(cluster, () => cluster.scale('StatefulSet/default/web', 160))).toEqual([half?.[0]]);
    expect(sizes(cluster)).toEqual({ [String(full?.[0])]: 100, [String(half?.[0])]: 60 });
    cluster.scale('StatefulSet/default/web', 50);
    cluster.advance();
    expect(sizes(cluster)).toEqual({ [String(full?.[0])]: 50 });
  });

  test('more than one slice can take makes a new one', () => {
    const cluster = clusterOf(90);
    const [first = ''] = Object.keys(sizes(cluster));
    cluster.scale('StatefulSet/default/web', 120);
    const after = sizes(cluster);
    expect(after[first]).toBe(90);
    expect(Object.values(after).sort()).toEqual([30, 90]);
  });

  test('what is left over behind new full slices goes where it fits, not into one of its own', () => {
    const cluster = clusterOf(40);
    cluster.scale('StatefulSet/default/web', 190);
    expect(Object.values(sizes(cluster)).sort()).toEqual([100, 90]);
  });

  test('new hints alone make no slice one that is filled up', () => {
    const cluster = createCluster({ nodes: [{ name: 'a', zone: 'z' }] });
    const pods = (replicas: number) => workload('StatefulSet', 'web', `replicas: ${replicas}, `);
    cluster.apply(parse(service('web') + pods(70)));
    cluster.apply(parse(service('web', 'trafficDistribution: PreferSameZone') + pods(110)));
    expect(Object.values(sizes(cluster)).sort()).toEqual([40, 70]);
  });

  test('a Service without Pods keeps one empty slice, under the name of the last', () => {
    const cluster = clusterOf(3);
    const names = Object.keys(sizes(cluster));
    cluster.scale('StatefulSet/default/web', 0);
    cluster.advance();
    expect(sizes(cluster)).toEqual({ [String(names[0])]: 0 });
    cluster.scale('StatefulSet/default/web', 3);
    expect(sizes(cluster)).toEqual({ [String(names[0])]: 3 });
  });

  test('are the same for the same history', () => {
    const history = () => {
      const cluster = clusterOf(120);
      cluster.scale('StatefulSet/default/web', 40);
      cluster.advance(95);
      cluster.drain('node-2');
      cluster.scale('StatefulSet/default/web', 210);
      return cluster.objects();
    };
    expect(history()).toEqual(history());
  });
});
