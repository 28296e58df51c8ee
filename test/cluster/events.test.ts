// What happens over time: each event leads to the slices, the names, the rules and the conntrack cleanup that a cluster would make.
import { describe, expect, test } from 'vitest';
import { listOf } from '../../src/cluster/fields.ts';
import { isTerminating } from '../../src/cluster/pods.ts';
import { createCluster } from '../../src/cluster.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import { createClusterDns } from '../../src/dns/cluster-dns.ts';
import type { TransportProtocol } from '../../src/packet.ts';
import { deployment, endpoints, parse, pods, service, terminating, workload } from './manifests.ts';

const VIP = '10.96.0.20';
const HEADLESS = service('web', 'clusterIP: None').replace('{name: web}', '{name: web-peers}');

/** `podSpec`: more of the Pods' spec, as flow YAML. */
async function scene(protocol: TransportProtocol, podSpec = '') {
  const cluster = createCluster({ nodes: 3, now: () => 0 });
  const port = `[{port: 80, protocol: ${protocol}, targetPort: 8080}]`;
  cluster.apply(
    parse(
      service('web', `clusterIP: ${VIP}`, port) +
        HEADLESS +
        workload('StatefulSet', 'web', 'replicas: 3, serviceName: web-peers, ').replace('containers:', `${podSpec}containers:`),
    ),
  );
  const dataplane = createDataplaneSync({
    engine: 'js',
    nodeName: 'node-1',
    seed: 1,
    now: () => 0,
    config: { clusterCIDR: '10.244.0.0/16' },
  });
  const dns = await createClusterDns();
  cluster.connect(dataplane);
  cluster.connect(dns);
  const send = (sourcePort: number) =>
    dataplane.process({ protocol, source: '10.244.1.200', sourcePort, destination: VIP, destinationPort: 80 }).backend?.address;
  const addressOf = (name: string) => pods(cluster).find((pod) => pod.name === name)?.ip;
  return {
    cluster,
    addressOf,
    send,
    /** A flow that is tracked towards this Pod. */
    flowTo: (name: string) =>
      Array.from({ length: 100 }, (_, index) => 1000 + index).find((sourcePort) => send(sourcePort) === addressOf(name)) ?? 0,
    /** Where new connections go. */
    backends: (first: number) => new Set(Array.from({ length: 60 }, (_, index) => send(first + index))),
    names: async () =>
      (await dns.resolve('web-peers.default.svc.cluster.local')).answer.flatMap((record) => ('address' in record ? [record.address] : [])),
  };
}

describe('an event', () => {
  test('unready: no name, no new connections, and the UDP flows to it are forgotten', async () => {
    const { cluster, addressOf, flowTo, send, backends, names } = await scene('UDP');
    const flow = flowTo('web-1');
    cluster.setReady('default/web-1', false);
    expect(await names()).not.toContain(addressOf('web-1'));
    expect(backends(5000)).toEqual(new Set([addressOf('web-0'), addressOf('web-2')]));
    expect(send(flow)).not.toBe(addressOf('web-1'));
    cluster.setReady('default/web-1', true);
    expect(await names()).toContain(addressOf('web-1'));
    expect(backends(6000).size).toBe(3);
  });

  test('unready: TCP connections that stand are left alone', async () => {
    const { cluster, addressOf, flowTo, send } = await scene('TCP');
    const flow = flowTo('web-1');
    cluster.setReady('default/web-1', false);
    expect(send(flow)).toBe(addressOf('web-1'));
  });

  test('terminate: what is under way goes on until the Pod is gone, and then its UDP flows are forgotten', async () => {
    const { cluster, addressOf, flowTo, send, backends, names } = await scene('UDP');
    const flow = flowTo('web-2');
    const leaving = addressOf('web-2');
    cluster.terminate('default/web-2');
    expect(await names()).not.toContain(leaving);
    expect(backends(5000).has(leaving)).toBe(false);
    expect(send(flow)).toBe(leaving);
    cluster.advance(29);
    expect(send(flow)).toBe(leaving);
    cluster.advance(1);
    expect(addressOf('web-2')).not.toBe(leaving);
    expect(send(flow)).not.toBe(leaving);
  });

  test('terminate of a Pod that is not ready: its UDP flows are forgotten at once', async () => {
    const { cluster, addressOf, flowTo, send } = await scene('UDP');
    const flow = flowTo('web-2');
    cluster.terminate('default/web-2');
    expect(send(flow)).toBe(addressOf('web-2'));
    cluster.setReady('default/web-2', false);
    expect(send(flow)).not.toBe(addressOf('web-2'));
  });

  test('terminate without a grace period: gone at once, and made anew under the same name', async () => {
    const { cluster, addressOf } = await scene('TCP', 'terminationGracePeriodSeconds: 0, ');
    const leaving = addressOf('web-1');
    cluster.terminate('default/web-1');
    expect(terminating(cluster)).toEqual([]);
    expect(addressOf('web-1')).toEqual(expect.any(String));
    expect(addressOf('web-1')).not.toBe(leaving);
  });

  test('terminate of all: the last ones that serve are used', async () => {
    const { cluster, addressOf, backends, names } = await scene('TCP');
    for (const name of ['web-0', 'web-1', 'web-2']) cluster.terminate(`default/${name}`);
    expect(await names()).toEqual([]);
    expect(backends(5000)).toEqual(new Set(['web-0', 'web-1', 'web-2'].map(addressOf)));
  });

  test('scale of a StatefulSet: up at once, down one by one from the top, each for its grace period', async () => {
    const { cluster, backends, names } = await scene('UDP');
    cluster.scale('StatefulSet/default/web', 5);
    expect([backends(5000).size, (await names()).length]).toEqual([5, 5]);
    cluster.scale('StatefulSet/default/web', 3);
    expect([terminating(cluster), backends(6000).size, (await names()).length]).toEqual([['web-4'], 4, 4]);
    cluster.advance(30);
    expect([terminating(cluster), backends(7000).size, pods(cluster).length]).toEqual([['web-3'], 3, 4]);
    cluster.advance(30);
    expect([terminating(cluster), backends(8000).size, pods(cluster).length]).toEqual([[], 3, 3]);
    cluster.scale('StatefulSet/default/web', 0);
    cluster.advance();
    expect([backends(9000), await names()]).toEqual([new Set([undefined]), []]);
  });

  test('a StatefulSet does nothing more while one of its Pods is not ready', async () => {
    const { cluster } = await scene('TCP');
    cluster.setReady('default/web-1', false);
    cluster.scale('StatefulSet/default/web', 5);
    expect(pods(cluster)).toHaveLength(3);
    cluster.setReady('default/web-1', true);
    expect(pods(cluster)).toHaveLength(5);
  });

  test('a new template reaches a StatefulSet from the top, one Pod after the other', async () => {
    const { cluster } = await scene('TCP');
    const addresses = () => pods(cluster).map(({ ip }) => ip);
    const before = addresses();
    cluster.apply(parse(workload('StatefulSet', 'web', 'replicas: 3, serviceName: web-peers, ', 'env: [{name: V}]')));
    expect(terminating(cluster)).toEqual(['web-2']);
    cluster.advance(30);
    expect(terminating(cluster)).toEqual(['web-1']);
    cluster.advance(30);
    expect(terminating(cluster)).toEqual(['web-0']);
    cluster.advance(30);
    expect(terminating(cluster)).toEqual([]);
    expect(addresses().filter((address) => before.includes(address))).toEqual([]);
  });

  test('a DaemonSet with maxSurge has its new Pods beside the old ones', () => {
    const cluster = createCluster();
    const surging = 'updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}, ';
    cluster.apply(parse(workload('DaemonSet', 'agent', surging)));
    const before = pods(cluster).map(({ name }) => name);
    cluster.apply(parse(workload('DaemonSet', 'agent', surging, 'env: [{name: V}]')));
    expect(terminating(cluster)).toEqual(before);
    expect(pods(cluster)).toHaveLength(6);
    cluster.advance(30);
    expect(
      pods(cluster)
        .map(({ node }) => node)
        .sort(),
    ).toEqual(['node-1', 'node-2', 'node-3']);
  });

  test('a new template reaches a DaemonSet one node after the other', () => {
    const cluster = createCluster({ nodes: 3 });
    cluster.apply(parse(workload('DaemonSet', 'agent', '')));
    const before = pods(cluster).map(({ name }) => name);
    cluster.apply(parse(workload('DaemonSet', 'agent', '', 'env: [{name: V}]')));
    expect(terminating(cluster)).toHaveLength(1);
    cluster.advance(30);
    expect(terminating(cluster)).toHaveLength(1);
    cluster.advance();
    const after = pods(cluster);
    expect(after.map(({ node }) => node).sort()).toEqual(['node-1', 'node-2', 'node-3']);
    expect(after.filter(({ name }) => before.includes(name))).toEqual([]);
  });
});

describe('drain', () => {
  test('Pods, names and routing leave the node together, and what is under way ends with the grace period', async () => {
    const { cluster, addressOf, flowTo, send, backends, names } = await scene('UDP');
    const { name = '', ip: leaving } = pods(cluster).find(({ node }) => node === 'node-2') ?? {};
    const flow = flowTo(name);
    cluster.drain('node-2');
    expect(endpoints(cluster).find(({ addresses }) => listOf(addresses).includes(leaving))?.conditions).toEqual({
      ready: false,
      serving: true,
      terminating: true,
    });
    expect(await names()).not.toContain(leaving);
    expect(backends(5000)).toEqual(new Set(pods(cluster).flatMap(({ ip }) => (ip === leaving ? [] : [ip]))));
    expect(send(flow)).toBe(leaving);
    cluster.advance(30);
    expect(addressOf(name)).not.toBe(leaving);
    expect(pods(cluster).map(({ node }) => node)).not.toContain('node-2');
    expect(send(flow)).not.toBe(leaving);
    expect(new Set(await names())).toEqual(new Set(pods(cluster).map(({ ip }) => ip)));
    expect(backends(6000)).toEqual(new Set(pods(cluster).map(({ ip }) => ip)));
  });

  test('a Deployment has its new Pods elsewhere at once, under new names', () => {
    const cluster = createCluster();
    cluster.apply(parse(deployment('web', 3)));
    const before = pods(cluster);
    cluster.drain('node-1');
    const [leaving] = before.filter(({ node }) => node === 'node-1').map(({ name }) => name);
    expect(terminating(cluster)).toEqual([leaving]);
    expect(pods(cluster)).toHaveLength(4);
    cluster.advance(30);
    const after = pods(cluster);
    expect(after.map(({ node }) => node)).not.toContain('node-1');
    expect(after.filter(({ name }) => before.some((pod) => pod.name === name))).toHaveLength(2);
    cluster.uncordon('node-1');
    cluster.scale('Deployment/default/web', 4);
    expect(pods(cluster).map(({ node }) => node)).toContain('node-1');
  });

  test('a Pod that no controller makes anew keeps the node, unless it is forced', () => {
    const cluster = createCluster({ nodes: 1 });
    cluster.apply(parse(`${deployment('web', 1)}{apiVersion: v1, kind: Pod, metadata: {name: bare}, spec: {containers: [{name: c}]}}`));
    const before = cluster.objects();
    expect(() => cluster.drain('node-1')).toThrow(
      'node "node-1" cannot be drained: no controller would make these Pods anew (force: true evicts them): default/bare',
    );
    expect(cluster.objects()).toEqual(before);
    cluster.drain('node-1', { force: true });
    cluster.advance(30);
    expect(pods(cluster)).toEqual([{ name: expect.stringMatching(/^web-/), node: '', ip: undefined }]);
  });

  test('Pods of DaemonSets and of the kubelet itself stay', () => {
    const cluster = createCluster({ nodes: 1 });
    const mirror =
      '{apiVersion: v1, kind: Pod, metadata: {name: etcd, annotations: {kubernetes.io/config.mirror: x}}, spec: {nodeName: node-1, containers: [{name: c}]}}';
    cluster.apply(parse(workload('DaemonSet', 'agent', '') + mirror));
    cluster.drain('node-1');
    expect(terminating(cluster)).toEqual([]);
    expect(pods(cluster)).toHaveLength(2);
  });
});

describe('time', () => {
  const drained = (now?: () => number) => {
    const cluster = createCluster(now === undefined ? {} : { now });
    cluster.apply(parse(deployment('web', 3)));
    cluster.drain('node-1');
    return cluster;
  };

  test('stands still unless it is advanced', () => {
    const cluster = drained();
    cluster.setReady(`default/${pods(cluster)[0]?.name}`, false);
    expect(terminating(cluster)).toHaveLength(1);
    expect(cluster.objects('Pod').find(isTerminating)?.metadata).toMatchObject({
      deletionTimestamp: '1970-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
    });
    cluster.advance();
    expect(terminating(cluster)).toEqual([]);
    expect(() => cluster.advance(-1)).toThrow('seconds -1 is not a time that can pass');
  });

  test('of a clock of its own: whatever happens next catches up with it first', () => {
    let now = 1_000_000;
    const cluster = drained(() => now);
    now += 29_000;
    cluster.advance(0);
    expect(terminating(cluster)).toHaveLength(1);
    now += 1000;
    cluster.apply([]);
    expect(terminating(cluster)).toEqual([]);
  });

  test('each end of a grace period reaches consumers by itself', () => {
    const cluster = createCluster({ nodes: 2 });
    cluster.apply(parse(workload('StatefulSet', 'web', 'replicas: 3, ')));
    const log: string[] = [];
    cluster.connect({ apply: () => {}, delete: (refs) => void log.push([...refs].map(({ name }) => name).join(' ')) });
    cluster.scale('StatefulSet/default/web', 0);
    cluster.advance(89);
    expect(log).toEqual(['web-2', 'web-1']);
    cluster.advance(1);
    expect(log).toEqual(['web-2', 'web-1', 'web-0']);
  });
});
