import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';
import { createCluster, InvalidObjectError } from '../../src/cluster.ts';
import { deployment, parse, pods, service, spec, workload } from './manifests.ts';

const BOUTIQUE = '../shared/manifests/online-boutique.yaml';

function recorder(): { log: string[]; apply(objects: Iterable<KubernetesObject>): void; delete(refs: Iterable<ObjectRef>): void } {
  const log: string[] = [];
  return {
    log,
    apply: (objects) => void log.push(...[...objects].map(({ kind, metadata }) => `${kind} ${metadata.name}`)),
    delete: (refs) => void log.push(...[...refs].map(({ kind, name }) => `gone: ${kind} ${name}`)),
  };
}

describe('a cluster', () => {
  it('has three nodes, with addresses and pod CIDRs', () => {
    const nodes = createCluster().objects('Node');
    expect(nodes.map(({ metadata, spec }) => [metadata.name, spec])).toEqual([
      ['node-1', { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] }],
      ['node-2', { podCIDR: '10.244.2.0/24', podCIDRs: ['10.244.2.0/24'] }],
      ['node-3', { podCIDR: '10.244.3.0/24', podCIDRs: ['10.244.3.0/24'] }],
    ]);
  });

  it('takes given Nodes instead of its own, and fills in what they lack', () => {
    const cluster = createCluster();
    cluster.apply(parse(`${deployment('web', 1)}{apiVersion: v1, kind: Node, metadata: {name: worker}, spec: {podCIDR: 10.42.7.0/24}}`));
    expect(cluster.objects('Node').map(({ metadata }) => metadata.name)).toEqual(['worker']);
    expect(cluster.objects('Node')[0]?.status).toMatchObject({
      addresses: [{ type: 'InternalIP', address: '192.168.0.11' }, { type: 'Hostname' }],
    });
    expect(pods(cluster)).toMatchObject([{ node: 'worker', ip: '10.42.7.2' }]);
  });

  it('gives a Node a pod CIDR where the given one is empty', () => {
    const cluster = createCluster();
    cluster.apply(parse('{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: "", podCIDRs: null}, status: {}}'));
    expect(spec(cluster, 'Node', 'n1')).toMatchObject({ podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] });
  });

  it('has the nodes that given Pods and slices run on', () => {
    const cluster = createCluster();
    cluster.apply(parse('{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: worker-7, containers: [{name: c}]}}'));
    expect(cluster.objects('Node').map(({ metadata }) => metadata.name)).toEqual(['worker-7']);
  });

  it('makes the namespaces that objects name', () => {
    const cluster = createCluster({ namespace: 'shop' });
    cluster.apply(parse(`${service('web')}{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: other}}`));
    expect(cluster.objects('Namespace').map(({ metadata }) => metadata.name)).toEqual(['default', 'kube-system', 'other', 'shop']);
    expect(cluster.objects('Service')[0]?.metadata.namespace).toBe('shop');
  });

  it('applies all or nothing', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web')));
    const before = cluster.objects();
    expect(() => cluster.apply(parse(service('api') + service('bad', 'type: Foo')))).toThrow(InvalidObjectError);
    expect(cluster.objects()).toEqual(before);
  });

  it('prunes what was applied before and is gone, with all that was made of it', () => {
    const cluster = createCluster();
    cluster.apply(parse(`${deployment('web', 2)}${service('web')}${service('api')}{apiVersion: v1, kind: Node, metadata: {name: worker}}`));
    const address = (name: string) => cluster.objects('Service').find(({ metadata }) => metadata.name === name)?.spec;
    const before = address('api');
    cluster.apply(parse(service('api')), { prune: true });
    expect(cluster.objects('Service').map(({ metadata }) => metadata.name)).toEqual(['api']);
    expect([cluster.objects('Pod'), cluster.objects('Deployment')]).toEqual([[], []]);
    expect(cluster.objects('Node').map(({ metadata }) => metadata.name)).toEqual(['node-1', 'node-2', 'node-3']);
    expect(address('api')).toEqual(before);
  });

  it('takes back what a failing controller left half done, to the order of creation', () => {
    const cluster = createCluster({ nodes: [{ name: 'small', podCIDRs: ['10.9.0.0/29'] }], podCIDRs: ['10.9.0.0/16'] });
    cluster.apply(parse(deployment('web', 3)));
    const before = cluster.objects();
    expect(() => cluster.apply(parse(deployment('api', 9)))).toThrow('pod CIDR 10.9.0.0/29: addresses');
    expect(() => cluster.apply(parse(deployment('api', 9)), { prune: true })).toThrow('pod CIDR 10.9.0.0/29: addresses');
    expect(cluster.objects()).toEqual(before);
    cluster.scale('Deployment/default/web', 2);
    const fresh = createCluster({ nodes: [{ name: 'small', podCIDRs: ['10.9.0.0/29'] }], podCIDRs: ['10.9.0.0/16'] });
    fresh.apply(parse(deployment('web', 3)));
    fresh.scale('Deployment/default/web', 2);
    expect(cluster.objects()).toEqual(fresh.objects());
  });

  it('prunes nothing when the new objects are refused', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web')));
    expect(() => cluster.apply(parse(service('bad', 'type: Foo')), { prune: true })).toThrow(InvalidObjectError);
    expect(cluster.objects('Service').map(({ metadata }) => metadata.name)).toEqual(['web']);
  });

  it('is the same for the same input', () => {
    const build = () => {
      const cluster = createCluster();
      cluster.apply(parse(service('web', 'type: NodePort') + deployment('web', 5) + workload('DaemonSet', 'agent', '')));
      cluster.drain('node-2');
      return JSON.stringify(cluster.objects());
    };
    expect(build()).toBe(build());
  });

  it('deletes what was made for an object along with it', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web') + deployment('web', 2)));
    cluster.delete([
      { kind: 'Deployment', name: 'web' },
      { kind: 'Service', namespace: 'default', name: 'web' },
    ]);
    const left = new Set(cluster.objects().map(({ kind }) => kind));
    expect([...left].sort()).toEqual(['Namespace', 'Node']);
  });

  it('re-applying a manifest keeps what happened to its Pods', () => {
    const cluster = createCluster();
    const text = '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}';
    cluster.apply(parse(text));
    cluster.setReady('default/p', false);
    const before = cluster.objects('Pod');
    cluster.apply(parse(text));
    expect(cluster.objects('Pod')).toEqual(before);
  });

  it('hands a consumer everything, then only what changes, then nothing more', () => {
    const cluster = createCluster({ nodes: 1 });
    cluster.apply(parse(service('web') + workload('StatefulSet', 'web', 'replicas: 1, ')));
    const consumer = recorder();
    const connection = cluster.connect(consumer);
    expect(consumer.log).toEqual(expect.arrayContaining(['Node node-1', 'Pod web-0', 'Service web', 'StatefulSet web']));
    consumer.log.length = 0;
    cluster.setReady('default/web-0', false);
    expect(consumer.log).toEqual([expect.stringMatching(/^EndpointSlice web-/), 'Pod web-0']);
    consumer.log.length = 0;
    cluster.scale('StatefulSet/default/web', 0);
    expect(consumer.log).not.toContain('gone: Pod web-0');
    cluster.advance(30);
    expect(consumer.log).toContain('gone: Pod web-0');
    connection[Symbol.dispose]();
    consumer.log.length = 0;
    cluster.scale('StatefulSet/default/web', 1);
    expect(consumer.log).toEqual([]);
  });

  it('gives a Service that stands twice one address, and the later one counts', () => {
    const [once, twice] = [createCluster(), createCluster()];
    once.apply(parse(service('web')));
    twice.apply(parse(service('web', 'type: NodePort') + service('web')));
    expect(twice.objects('Service')).toEqual(once.objects('Service'));
  });

  it('passes over custom resources that share their name with what it reads', () => {
    const cluster = createCluster();
    const knative = parse('{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: web}, spec: {}}');
    cluster.apply([...parse(service('web')), ...knative]);
    expect(cluster.objects('Service')).toMatchObject([{ apiVersion: 'v1', spec: { selector: { app: 'web' } } }]);
    cluster.apply(knative, { prune: true });
    expect(cluster.objects('Service')).toEqual([]);
    cluster.apply(parse(workload('StatefulSet', 'kruise', '').replace('apps/v1', 'apps.kruise.io/v1beta1')));
    expect(pods(cluster)).toMatchObject([{ name: 'kruise-0' }]);
  });

  it('refuses options that make no sense', () => {
    expect(() => createCluster({ nodes: -1 })).toThrow('nodes -1 is not a number of nodes');
    expect(() => createCluster({ serviceCIDRs: ['10.0.0.0/33'] })).toThrow('serviceCIDRs "10.0.0.0/33" is not a CIDR');
    expect(() => createCluster({ ipFamilies: ['IPv4', 'IPv6'], podCIDRs: ['10.0.0.0/16'] })).toThrow('holds no CIDR of IPv6');
    expect(() => createCluster({ nodePortRange: '1' })).toThrow('nodePortRange "1" is not a range of ports');
  });

  it.skipIf(!existsSync(BOUTIQUE))('makes something of every Service of a real application', () => {
    const cluster = createCluster();
    cluster.apply(parse(readFileSync(BOUTIQUE, 'utf8')));
    const slices = cluster.objects('EndpointSlice');
    expect(cluster.objects('Pod')).toHaveLength(12);
    expect(slices).toHaveLength(12);
    for (const slice of slices) expect(slice.endpoints).toMatchObject([{ conditions: { ready: true } }]);
  });
});
