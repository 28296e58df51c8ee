// Hints as the EndpointSlice controller makes them.
import { describe, expect, test } from 'vitest';
import { fieldsOf, listOf, textOf } from '../../src/cluster/fields.ts';
import { createCluster } from '../../src/cluster.ts';
import { deployment, endpoints, parse, service, workload } from './manifests.ts';

function node(name: string, zone: string, cpu = '', labels = ''): string {
  const own = [zone === '' ? '' : `topology.kubernetes.io/zone: ${zone}`, labels].filter((text) => text !== '').join(', ');
  return `
{apiVersion: v1, kind: Node, metadata: {name: ${name}, labels: {${own}}}, status: {${cpu === '' ? '' : `allocatable: {cpu: ${cpu}}, `}conditions: [{type: Ready, status: "True"}]}}
---
`;
}

function hintsOf(manifest: string): unknown[] {
  const cluster = createCluster();
  cluster.apply(parse(manifest));
  return endpoints(cluster).map(({ hints }) => hints);
}

/** Zone of the endpoint → zone it is hinted for, sorted. */
function zonesOf(manifest: string): string[] {
  const cluster = createCluster();
  cluster.apply(parse(manifest));
  return endpoints(cluster)
    .map(({ zone, hints }) => {
      const names = listOf(fieldsOf(hints).forZones).map((each) => textOf(fieldsOf(each).name));
      return `${String(zone)}→${names.join(',') || '-'}`;
    })
    .sort();
}

const annotated = service('web').replace('{name: web}', '{name: web, annotations: {service.kubernetes.io/topology-mode: Auto}}');
const TWO_ZONES = node('a1', 'a') + node('b1', 'b');

describe('trafficDistribution', () => {
  test.each(['PreferClose', 'PreferSameZone'])('%s: each ready endpoint is for its own zone', (value) => {
    expect(zonesOf(TWO_ZONES + service('web', `trafficDistribution: ${value}`) + deployment('web', 2))).toEqual(['a→a', 'b→b']);
  });

  test('PreferSameNode: for its own node, too', () => {
    const hints = hintsOf(node('a1', 'a') + service('web', 'trafficDistribution: PreferSameNode') + deployment('web', 1));
    expect(hints).toEqual([{ forZones: [{ name: 'a' }], forNodes: [{ name: 'a1' }] }]);
  });

  test('endpoints that are not ready, or whose zone is not known, get none', () => {
    const cluster = createCluster();
    cluster.apply(parse(TWO_ZONES + service('web', 'trafficDistribution: PreferClose') + workload('StatefulSet', 'web', 'replicas: 2, ')));
    cluster.setReady('default/web-1', false);
    expect(endpoints(cluster).map(({ hints }) => hints)).toEqual([{ forZones: [{ name: 'a' }] }, undefined]);
    expect(hintsOf(node('n', '') + service('web', 'trafficDistribution: PreferClose') + deployment('web', 1))).toEqual([undefined]);
  });

  test('a zone label without a value names no zone', () => {
    const zones = zonesOf(node('a1', '""') + service('web', 'trafficDistribution: PreferClose') + deployment('web', 1));
    expect(zones).toEqual(['undefined→-']);
  });

  test('none without it', () => {
    expect(hintsOf(TWO_ZONES + service('web') + deployment('web', 2))).toEqual([undefined, undefined]);
  });
});

describe('the older annotation', () => {
  const nodes = (a: string, b: string) => node('a1', 'a', a) + node('b1', 'b', b);

  test('shares endpoints out by CPUs', () => {
    expect(zonesOf(nodes('4', '4000m') + annotated + deployment('web', 4))).toEqual(['a→a', 'a→a', 'b→b', 'b→b']);
    // A third of the CPUs is worth two of six endpoints: one of three can be spared.
    expect(zonesOf(nodes('8', '4') + annotated + deployment('web', 6))).toEqual(['a→a', 'a→a', 'a→a', 'b→a', 'b→b', 'b→b']);
  });

  test.each([
    ['a Node without CPUs', node('a1', 'a', '4') + node('b1', 'b'), 4],
    ['a Node without a zone', node('a1', 'a', '4') + node('b1', '', '4'), 4],
    ['a single zone', node('a1', 'a', '4') + node('a2', 'a', '4'), 4],
    ['fewer endpoints than zones', nodes('4', '4'), 1],
    // Each zone needs one at least: 5 of 6 CPUs on one side would leave it with too few.
    ['minimums that are more than there is', node('a1', 'a', '4') + node('b1', 'b', '4') + node('c1', 'c', '100m'), 3],
  ])('gives no hints with %s', (_name, given, replicas) => {
    expect(new Set(hintsOf(given + annotated + deployment('web', replicas)))).toEqual(new Set([undefined]));
  });

  test('leaves the control plane out, and wins over trafficDistribution', () => {
    const control = node('c1', 'c', '64', 'node-role.kubernetes.io/control-plane: ""').replace(
      'status:',
      'spec: {unschedulable: true}, status:',
    );
    const both = annotated.replace('spec: {', 'spec: {trafficDistribution: PreferSameNode, ');
    expect(zonesOf(control + nodes('4', '4') + both + deployment('web', 2))).toEqual(['a→a', 'b→b']);
    expect(hintsOf(control + nodes('4', '4') + both + deployment('web', 2))[0]).toEqual({ forZones: [{ name: expect.any(String) }] });
  });
});
