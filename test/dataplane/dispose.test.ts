// What was disposed is gone: every call says so, whichever the engine, and nothing of it changes.
import { describe, expect, test } from 'vitest';
import { createCluster } from '../../src/cluster.ts';
import { createDataplaneSync, type Dataplane, DisposedError } from '../../src/index.ts';
import { createIpvsSync, type Ipvs } from '../../src/ipvs.ts';

type Verb<T> = { [K in keyof T]: T[K] extends (...given: never[]) => unknown ? K : never }[keyof T] & string;

const PACKET = { protocol: 'TCP', source: '10.0.0.1', sourcePort: 40000, destination: '10.96.0.20', destinationPort: 80 } as const;
const SERVICE = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { clusterIP: '10.96.0.20', ports: [{ port: 80 }] } };

describe.each(['wasm', 'js'] as const)('on the engine %s', (engine) => {
  test('a dataplane', () => {
    const dataplane = createDataplaneSync({ engine, seed: 1 });
    const batch = dataplane.createBatch(1);
    const ring = dataplane.createFrameRing(1);
    dataplane.apply([SERVICE]);
    dataplane.process(PACKET);
    const calls: Record<Verb<Dataplane>, () => unknown> = {
      apply: () => dataplane.apply([SERVICE]),
      delete: () => dataplane.delete([{ kind: 'Service', namespace: 'default', name: 'web' }]),
      servicePorts: () => dataplane.servicePorts(),
      process: () => dataplane.process(PACKET),
      explain: () => dataplane.explain(PACKET),
      trace: () => dataplane.trace(PACKET),
      createBatch: () => dataplane.createBatch(1),
      processBatch: () => dataplane.processBatch(batch),
      createFrameRing: () => dataplane.createFrameRing(1),
      processFrames: () => dataplane.processFrames(ring),
      connections: () => dataplane.connections(),
      counters: () => dataplane.counters(),
      render: () => dataplane.render(),
    };
    dataplane[Symbol.dispose]();
    for (const [verb, call] of Object.entries(calls)) expect(call, verb).toThrow(new DisposedError('this dataplane is disposed'));
    dataplane[Symbol.dispose]();
    expect(dataplane).toMatchObject({ mode: 'iptables', engine, seed: 1 });
  });

  test('an IPVS', () => {
    const ipvs = createIpvsSync({ engine, seed: 1 });
    const web = { protocol: 'TCP', address: '10.96.0.20', port: 80 } as const;
    const server = { address: '10.0.0.1', port: 80 };
    ipvs.addService(web);
    const calls: Record<Verb<Ipvs>, () => unknown> = {
      addService: () => ipvs.addService({ ...web, port: 81 }),
      editService: () => ipvs.editService(web, {}),
      deleteService: () => ipvs.deleteService(web),
      services: () => ipvs.services(),
      clear: () => ipvs.clear(),
      addServer: () => ipvs.addServer(web, server),
      editServer: () => ipvs.editServer(web, server),
      deleteServer: () => ipvs.deleteServer(web, server),
      setTimeouts: () => ipvs.setTimeouts({ tcp: 5 }),
      setSysctl: () => ipvs.setSysctl('expire_nodest_conn', 1),
      process: () => ipvs.process(PACKET),
      servers: () => ipvs.servers(web),
      connections: () => ipvs.connections(),
      save: () => ipvs.save(),
      restore: () => ipvs.restore('-A -t 10.96.0.2:80'),
    };
    ipvs[Symbol.dispose]();
    for (const [verb, call] of Object.entries(calls)) expect(call, verb).toThrow(new DisposedError('this IPVS is disposed'));
    ipvs[Symbol.dispose]();
    expect(ipvs).toMatchObject({ engine, seed: 1 });
  });
});

test('a cluster tells its other consumers before it says that one is disposed', () => {
  const cluster = createCluster();
  const [gone, other] = [createDataplaneSync(), createDataplaneSync()];
  const connection = cluster.connect(gone);
  cluster.connect(other);
  gone[Symbol.dispose]();
  expect(() => cluster.apply([SERVICE])).toThrow(DisposedError);
  expect(other.servicePorts()).toHaveLength(1);
  connection[Symbol.dispose]();
  cluster.delete([{ kind: 'Service', namespace: 'default', name: 'web' }]);
  expect(other.servicePorts()).toEqual([]);
});
