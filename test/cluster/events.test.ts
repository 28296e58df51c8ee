// What happens over time: each event leads to the slices, the names, the rules and the conntrack cleanup that a cluster would make.
import { describe, expect, test } from 'vitest';
import { createCluster } from '../../src/cluster.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import { createClusterDns } from '../../src/dns/cluster-dns.ts';
import type { TransportProtocol } from '../../src/packet.ts';
import { parse, pods, service, workload } from './manifests.ts';

const VIP = '10.96.0.20';
const HEADLESS = service('web', 'clusterIP: None').replace('{name: web}', '{name: web-peers}');

async function scene(protocol: TransportProtocol) {
  const cluster = createCluster({ nodes: 3, now: () => 0 });
  const port = `[{port: 80, protocol: ${protocol}, targetPort: 8080}]`;
  cluster.apply(
    parse(service('web', `clusterIP: ${VIP}`, port) + HEADLESS + workload('StatefulSet', 'web', 'replicas: 3, serviceName: web-peers, ')),
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
    cluster.delete([{ kind: 'Pod', namespace: 'default', name: 'web-2' }]);
    expect(addressOf('web-2')).not.toBe(leaving);
    expect(send(flow)).not.toBe(leaving);
  });

  test('terminate of all: the last ones that serve are used', async () => {
    const { cluster, addressOf, backends, names } = await scene('TCP');
    for (const name of ['web-0', 'web-1', 'web-2']) cluster.terminate(`default/${name}`);
    expect(await names()).toEqual([]);
    expect(backends(5000)).toEqual(new Set(['web-0', 'web-1', 'web-2'].map(addressOf)));
  });

  test('scale: up and down', async () => {
    const { cluster, backends, names } = await scene('UDP');
    cluster.scale('StatefulSet/default/web', 5);
    expect([backends(5000).size, (await names()).length]).toEqual([5, 5]);
    cluster.scale('StatefulSet/default/web', 1);
    expect([backends(6000).size, (await names()).length]).toEqual([1, 1]);
    cluster.scale('StatefulSet/default/web', 0);
    expect([backends(7000), await names()]).toEqual([new Set([undefined]), []]);
  });

  test('drain: Pods, names and routing leave the node together', async () => {
    const { cluster, backends, names } = await scene('TCP');
    const before = pods(cluster).find(({ node }) => node === 'node-2')?.ip;
    cluster.drain('node-2');
    const now = pods(cluster).map(({ ip }) => ip);
    expect(now).not.toContain(before);
    expect(new Set(await names())).toEqual(new Set(now));
    expect(backends(5000)).toEqual(new Set(now));
  });
});
