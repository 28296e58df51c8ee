import { describe, expect, it } from 'vitest';
import { fieldsOf } from '../../src/cluster/fields.ts';
import { createCluster } from '../../src/cluster.ts';
import { deployment, parse, pods, terminating, workload } from './manifests.ts';

describe('workloads become Pods', () => {
  it('a Deployment makes a ReplicaSet, whose Pods are spread over the nodes with addresses of their pod CIDRs', () => {
    const cluster = createCluster();
    cluster.apply(parse(deployment('web', 4)));
    const [replicaSet] = cluster.objects('ReplicaSet');
    expect(replicaSet?.metadata.name).toMatch(/^web-[bcdf4-9]{10}$/);
    const made = pods(cluster);
    for (const { name } of made) expect(name).toMatch(new RegExp(`^${replicaSet?.metadata.name}-[bcdfghjklmnpqrstvwxz2456789]{5}$`));
    expect(made.map(({ node }) => node).sort()).toEqual(['node-1', 'node-1', 'node-2', 'node-3']);
    expect(made.map(({ ip }) => ip).sort()).toEqual(['10.244.1.2', '10.244.1.3', '10.244.2.2', '10.244.3.2']);
  });

  it.each(['Deployment', 'StatefulSet', 'DaemonSet'])('the keys of a %s are read in any order', (kind) => {
    const written = (labels: string) => workload(kind, 'web', '').replaceAll('{app: web}', labels);
    const cluster = createCluster();
    cluster.apply(parse(written('{app: web, tier: front}').replace('name: web, image: web', 'image: web, name: web')));
    const before = pods(cluster);
    cluster.apply(parse(written('{tier: front, app: web}')));
    expect(pods(cluster)).toEqual(before);
    expect(terminating(cluster)).toEqual([]);
  });

  it('what kubectl writes for fields without a value changes nothing', () => {
    const cluster = createCluster();
    const pod = '{apiVersion: v1, kind: Pod, metadata: {name: bare}, spec: {containers: [{name: c}]}}\n---\n';
    cluster.apply(parse(pod + deployment('web', 2)));
    const before = pods(cluster);
    const empty = deployment('web', 2, 'resources: {}, ports: null').replace(
      'template: {metadata: {',
      'template: {metadata: {creationTimestamp: null, ',
    );
    const silent = pod.replace('containers', 'nodeName: "", hostname: null, containers').replace('}}\n', '}, status: {}}\n');
    cluster.apply(parse(silent + empty));
    expect(pods(cluster)).toEqual(before);
  });

  it('a StatefulSet numbers its Pods and gives them their host name', () => {
    const cluster = createCluster();
    cluster.apply(parse(workload('StatefulSet', 'db', 'replicas: 2, serviceName: db, ')));
    expect(pods(cluster).map(({ name }) => name)).toEqual(['db-0', 'db-1']);
    expect(cluster.objects('Pod')[0]?.spec).toMatchObject({ hostname: 'db-0', subdomain: 'db' });
  });

  it('a DaemonSet has one Pod on each node, on a new node too', () => {
    const cluster = createCluster({ nodes: [{ name: 'a' }, { name: 'b' }] });
    cluster.apply(parse(workload('DaemonSet', 'agent', '')));
    expect(
      pods(cluster)
        .map(({ node }) => node)
        .sort(),
    ).toEqual(['a', 'b']);
    cluster.drain('a');
    expect(terminating(cluster)).toEqual([]);
    cluster.delete([{ kind: 'Node', name: 'a' }]);
    expect(pods(cluster).map(({ node }) => node)).toEqual(['b']);
  });

  it('a bare Pod gets a node and an address, and a given address stays', () => {
    const cluster = createCluster();
    cluster.apply(
      parse(`
{apiVersion: v1, kind: Pod, metadata: {name: free}, spec: {containers: [{name: c}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: given}, spec: {nodeName: node-2, containers: [{name: c}]}, status: {phase: Running, podIP: 10.244.2.2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: host}, spec: {nodeName: node-2, hostNetwork: true, containers: [{name: c}]}}
`),
    );
    expect(pods(cluster)).toEqual([
      { name: 'free', node: 'node-1', ip: '10.244.1.2' },
      { name: 'given', node: 'node-2', ip: '10.244.2.2' },
      { name: 'host', node: 'node-2', ip: '192.168.0.12' },
    ]);
  });

  it('the Pods of a dump are not made a second time, with or without their ReplicaSet', () => {
    const cluster = createCluster();
    const owner = '{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d59d67564, controller: true}';
    const pod = (name: string) => `
{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {app: web, pod-template-hash: 5d59d67564}, ownerReferences: [${owner}]}, spec: {containers: [{name: c}]}}
---`;
    cluster.apply(parse(deployment('web', 2) + pod('web-5d59d67564-aaaaa') + pod('web-5d59d67564-bbbbb')));
    expect(pods(cluster).map(({ name }) => name)).toEqual(['web-5d59d67564-aaaaa', 'web-5d59d67564-bbbbb']);
    expect(cluster.objects('ReplicaSet').map(({ metadata }) => metadata.name)).toEqual(['web-5d59d67564']);
  });

  it('a changed template replaces the Pods, and the way back stays open', () => {
    const cluster = createCluster();
    const names = () => pods(cluster).map(({ name }) => name);
    cluster.apply(parse(deployment('web', 2)));
    const before = names();
    cluster.apply(parse(deployment('web', 2, 'env: [{name: V}]')));
    expect(names()).toHaveLength(4);
    expect(terminating(cluster)).toEqual(before);
    cluster.advance();
    expect(names()).toHaveLength(2);
    expect(names().filter((name) => before.includes(name))).toEqual([]);
    const replicas = () => cluster.objects('ReplicaSet').map(({ spec }) => fieldsOf(spec).replicas);
    expect(replicas().sort()).toEqual([0, 2]);
    cluster.apply(parse(deployment('web', 2)));
    expect(cluster.objects('ReplicaSet')).toHaveLength(2);
    expect(replicas().sort()).toEqual([0, 2]);
  });

  it('as many old ReplicaSets are kept as revisionHistoryLimit says', () => {
    const cluster = createCluster();
    for (const version of [1, 2, 3, 4]) {
      const text = deployment('web', 1, `env: [{name: V, value: "${version}"}]`);
      cluster.apply(parse(text.replace('replicas: 1', 'replicas: 1, revisionHistoryLimit: 1')));
      cluster.advance();
    }
    const revisions = cluster.objects('ReplicaSet').map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision']);
    expect(revisions.sort()).toEqual(['3', '4']);
  });

  it('the strategy Recreate waits until the old Pods are gone', () => {
    const cluster = createCluster();
    const recreate = (text: string) => parse(text.replace('replicas: 2', 'replicas: 2, strategy: {type: Recreate}'));
    cluster.apply(recreate(deployment('web', 2)));
    const before = pods(cluster).map(({ name }) => name);
    cluster.apply(recreate(deployment('web', 2, 'env: [{name: V}]')));
    expect(pods(cluster).map(({ name }) => name)).toEqual(before);
    cluster.advance(30);
    expect(pods(cluster)).toHaveLength(2);
    expect(pods(cluster).filter(({ name }) => before.includes(name))).toEqual([]);
  });

  it('scale adds Pods, and takes those away first that share their node, the youngest before the others', () => {
    const cluster = createCluster({ nodes: 3 });
    cluster.apply(parse(deployment('web', 3)));
    const first = pods(cluster);
    cluster.scale('Deployment/default/web', 5);
    const added = pods(cluster).filter(({ name }) => !first.some((pod) => pod.name === name));
    cluster.scale('Deployment/default/web', 3);
    expect(terminating(cluster)).toEqual(added.map(({ name }) => name).sort());
    cluster.advance(30);
    expect(pods(cluster)).toEqual(first);
    expect(() => cluster.scale('Deployment/default/nope', 1)).toThrow('workload "Deployment/default/nope" does not exist');
  });

  it('scale takes Pods first that are not ready or cheap', () => {
    const cluster = createCluster({ nodes: 4 });
    cluster.apply(parse(deployment('web', 4)));
    const [first, , third] = pods(cluster);
    cluster.setReady(`default/${first?.name}`, false);
    cluster.scale('Deployment/default/web', 3);
    expect(terminating(cluster)).toEqual([first?.name]);
    const cheap = cluster.objects('Pod').find(({ metadata }) => metadata.name === third?.name);
    const annotations = { 'controller.kubernetes.io/pod-deletion-cost': '-5' };
    if (cheap !== undefined) cluster.apply([{ ...cheap, metadata: { ...cheap.metadata, annotations } }]);
    cluster.scale('Deployment/default/web', 2);
    expect(terminating(cluster)).toEqual([first?.name, third?.name].sort());
  });

  it('a ReplicationController keeps its Pods, and takes those as its own that nobody controls', () => {
    const cluster = createCluster();
    const controller = (replicas: number) =>
      `{apiVersion: v1, kind: ReplicationController, metadata: {name: old}, spec: {replicas: ${replicas}, template: {metadata: {labels: {app: old}}, spec: {containers: [{name: c}]}}}}`;
    cluster.apply(parse('{apiVersion: v1, kind: Pod, metadata: {name: orphan, labels: {app: old}}, spec: {containers: [{name: c}]}}'));
    cluster.apply(parse(controller(3)));
    expect(pods(cluster)).toHaveLength(3);
    cluster.scale('ReplicationController/default/old', 4);
    expect(pods(cluster)).toHaveLength(4);
    cluster.delete([{ kind: 'Pod', name: 'orphan' }]);
    expect(pods(cluster)).toHaveLength(4);
  });

  it('a Pod that no node takes stays Pending without an address', () => {
    const cluster = createCluster();
    cluster.apply(parse('{apiVersion: v1, kind: Pod, metadata: {name: gpu}, spec: {nodeSelector: {gpu: "yes"}, containers: [{name: c}]}}'));
    expect(pods(cluster)).toEqual([{ name: 'gpu', node: '', ip: undefined }]);
  });
});

describe('a Job', () => {
  const job = (name: string, spec: string) =>
    `{apiVersion: batch/v1, kind: Job, metadata: {name: ${name}}, spec: {${spec}template: {metadata: {labels: {app: ${name}}}, spec: {restartPolicy: Never, containers: [{name: c}]}}}}\n---\n`;
  const podsOf = (spec: string) => {
    const cluster = createCluster();
    cluster.apply(parse(job('sum', spec)));
    return cluster.objects('Pod').map(({ metadata }) => metadata);
  };

  it('has as many Pods as work at the same time', () => {
    expect(podsOf('')).toMatchObject([{ name: expect.stringMatching(/^sum-[a-z0-9]{5}$/), labels: { app: 'sum', 'job-name': 'sum' } }]);
    expect(podsOf('parallelism: 3, completions: 2, ')).toHaveLength(2);
    expect(podsOf('suspend: true, ')).toEqual([]);
  });

  it('numbers them when its completions are indexed', () => {
    expect(podsOf('parallelism: 2, completions: 2, completionMode: Indexed, ').map(({ name }) => name)).toEqual([
      expect.stringMatching(/^sum-0-[a-z0-9]{5}$/),
      expect.stringMatching(/^sum-1-[a-z0-9]{5}$/),
    ]);
  });

  it('must let its Pods end', () => {
    const manifest = job('sum', '').replace('restartPolicy: Never, ', '');
    expect(() => createCluster().apply(parse(manifest))).toThrow(
      'spec.template.spec.restartPolicy "Always" is unknown to Jobs, expected OnFailure, Never',
    );
  });
});
