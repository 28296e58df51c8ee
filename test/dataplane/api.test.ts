// The public verbs of a dataplane: what they take, what they refuse, and that a refusal changes nothing.
import { describe, expect, test } from 'vitest';
import { createJsEngine } from '../../src/engine/js/engine.ts';
import { CapacityError } from '../../src/errors.ts';
import { createDataplane, createDataplaneSync, InvalidArgumentError, InvalidObjectError } from '../../src/index.ts';
import { NodeDataplane, prepare } from '../../src/node-dataplane.ts';
import type { Packet } from '../../src/packet.ts';
import { CLUSTER_IP, service, slice } from './objects.ts';

const PACKET: Packet = { protocol: 'TCP', source: '10.0.0.7', sourcePort: 1000, destination: CLUSTER_IP, destinationPort: 80 };
const NODE = { nodeIPs: ['192.168.0.2'], config: { clusterCIDR: '10.0.0.0/8' }, seed: 3 } as const;

describe.each(['wasm', 'js'] as const)('a dataplane on the %s engine', (engine) => {
  test('says which engine runs, which mode and which seed', async () => {
    using dataplane = await createDataplane({ ...NODE, engine });
    expect(dataplane).toMatchObject({ engine, mode: 'iptables', seed: 3 });
  });

  test('takes all objects of an apply or none of them', () => {
    const dataplane = createDataplaneSync({ ...NODE, engine });
    const bad = service('TCP', { ports: [{ port: 70000 }] });
    expect(() => dataplane.apply([service('TCP'), slice('TCP', [{ address: '10.0.1.1' }]), { ...bad, metadata: { name: 'bad' } }])).toThrow(
      new InvalidObjectError({
        kind: 'Service',
        object: 'default/bad',
        path: 'spec.ports[0].port',
        value: 70000,
        message: '70000 is outside 1-65535',
      }),
    );
    expect(dataplane.servicePorts()).toEqual([]);
    expect(dataplane.process(PACKET).action).toBe('ACCEPT');
  });

  test('explains, renders and follows session affinity and schedulers in ipvs mode', () => {
    const dataplane = createDataplaneSync({ ...NODE, engine, mode: 'ipvs', config: { ipvs: { scheduler: 'mh' } } });
    dataplane.apply([service('TCP', { sessionAffinity: 'ClientIP' }), slice('TCP', [{ address: '10.0.1.1' }, { address: '10.0.1.2' }])]);
    expect(dataplane.explain(PACKET).outcomes).toMatchObject([{ action: 'DNAT', probability: 1 }]);
    expect(dataplane.render().find(({ tool }) => tool === 'ipvsadm')?.text).toContain(' -s mh -p 10800 -b mh-port\n');
    const { backend } = dataplane.process(PACKET);
    expect(dataplane.explain(PACKET).outcomes).toMatchObject([{ action: 'DNAT', backend }]);
    for (let sourcePort = 2000; sourcePort < 2020; sourcePort++) {
      expect(dataplane.process({ ...PACKET, sourcePort })).toMatchObject({ action: 'DNAT', backend });
    }
  });

  test('forgets what is deleted', () => {
    const dataplane = createDataplaneSync({ ...NODE, engine });
    dataplane.apply([service('TCP'), slice('TCP', [{ address: '10.0.1.1' }])]);
    dataplane.delete([{ kind: 'EndpointSlice', namespace: 'default', name: 'web-1' }]);
    expect(dataplane.process(PACKET).action).toBe('REJECT');
    dataplane.delete([{ kind: 'Service', name: 'web' }]);
    expect(dataplane.process(PACKET).action).toBe('ACCEPT');
  });

  test('keeps kinds that no dataplane looks at aside and counts them', () => {
    const dataplane = createDataplaneSync({ ...NODE, engine });
    dataplane.apply([
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
      { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'w' } },
    ]);
    expect(dataplane.counters().ignoredObjects).toEqual({ Pod: 1, Widget: 1 });
    dataplane.delete([{ kind: 'Pod', name: 'a' }]);
    expect(dataplane.counters().ignoredObjects).toEqual({ Widget: 1 });
  });

  test('takes its addresses from its Node object when none are given', () => {
    const dataplane = createDataplaneSync({ engine, nodeName: 'n1', config: { clusterCIDR: '10.0.0.0/8' } });
    const addresses = [{ type: 'InternalIP', address: '192.168.7.7' }];
    dataplane.apply([{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status: { addresses } }]);
    dataplane.apply([
      service('TCP', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }),
      slice('TCP', [{ address: '10.0.1.1' }]),
    ]);
    const verdict = dataplane.process({ ...PACKET, source: '203.0.113.9', destination: '192.168.7.7', destinationPort: 30080 });
    expect(verdict).toMatchObject({ action: 'DNAT', masquerade: true, translated: { source: '192.168.7.7', destination: '10.0.1.1' } });
  });

  test('repeats itself with the same seed', () => {
    const run = (): unknown[] => {
      const dataplane = createDataplaneSync({ ...NODE, engine, now: () => 0 });
      dataplane.apply([service('TCP'), slice('TCP', [{ address: '10.0.1.1' }, { address: '10.0.1.2' }])]);
      return Array.from({ length: 20 }, (_, index) => dataplane.process({ ...PACKET, sourcePort: 2000 + index }));
    };
    expect(run()).toEqual(run());
  });

  test('runs a batch as it would run its packets one by one', () => {
    const make = () => {
      const dataplane = createDataplaneSync({ ...NODE, engine, now: () => 0 });
      dataplane.apply([service('TCP'), slice('TCP', [{ address: '10.0.1.1' }, { address: '10.0.1.2' }])]);
      return dataplane;
    };
    const packets = Array.from({ length: 300 }, (_, index) => ({
      ...PACKET,
      sourcePort: 1000 + (index % 90),
      tcpFlags: index < 90 ? 2 : 16,
    }));
    const single = make();
    const batched = make();
    const batch = batched.createBatch(300);
    for (const [index, packet] of packets.entries()) batch.set(index, packet);
    batch.count = packets.length;
    batched.processBatch(batch);
    expect(packets.map((_, index) => batch.verdict(index))).toEqual(packets.map((packet) => single.process(packet)));
    expect({ ...batched.counters(), memory: undefined }).toEqual({ ...single.counters(), memory: undefined });
  });

  test('names the field of a packet that makes no sense', () => {
    const dataplane = createDataplaneSync({ ...NODE, engine });
    expect(() => dataplane.process({ ...PACKET, sourcePort: 70000 })).toThrow('packet.sourcePort 70000 is outside 0-65535');
    expect(() => dataplane.process({ ...PACKET, destination: '::1' })).toThrow(InvalidArgumentError);
    expect(() => dataplane.createBatch(0)).toThrow('capacity 0 is not a positive integer');
  });

  test('lets unassured connections go when as many are tracked as may be, and counts them', () => {
    let now = 0;
    const dataplane = createDataplaneSync({ ...NODE, engine, conntrackMax: 5, now: () => now });
    const udp = (sourcePort: number) => dataplane.process({ ...PACKET, protocol: 'UDP', sourcePort });
    for (let index = 0; index < 8; index++) expect(udp(3000 + index).action).toBe('ACCEPT');
    expect(dataplane.counters()).toMatchObject({ conntrackFull: 0, earlyDropped: 3, connections: 5 });
    now = 31_000;
    expect(udp(4000).action).toBe('ACCEPT');
    expect(dataplane.counters()).toMatchObject({ earlyDropped: 3, connections: 1 });
  });

  test('drops new connections when as many are tracked as may be, all of them assured', () => {
    const dataplane = createDataplaneSync({ ...NODE, engine, conntrackMax: 3, now: () => 0 });
    const { source, destination } = PACKET;
    const actions = Array.from({ length: 5 }, (_, index) => {
      const ports = { sourcePort: 3000 + index, destinationPort: 99 };
      const { action } = dataplane.process({ ...PACKET, ...ports, tcpFlags: 2 });
      dataplane.process({
        protocol: 'TCP',
        source: destination,
        sourcePort: 99,
        destination: source,
        destinationPort: 3000 + index,
        tcpFlags: 18,
      });
      dataplane.process({ ...PACKET, ...ports, tcpFlags: 16 });
      return action;
    });
    expect(actions).toEqual(['ACCEPT', 'ACCEPT', 'ACCEPT', 'DROP', 'DROP']);
    expect(dataplane.counters().connections).toBe(3);
    expect(dataplane.counters().conntrackFull).toBeGreaterThanOrEqual(2);
  });
});

test('options that make no sense are refused by their names', () => {
  expect(() => createDataplaneSync({ seed: -1 })).toThrow('seed -1 is not an integer of 32 bits');
  expect(() => createDataplaneSync({ nodeIPs: ['10.0.0.256'] })).toThrow(/nodeIPs\[0\] "10\.0\.0\.256"/);
});

test('goes back to what it had when a change cannot be put in force', () => {
  const start = prepare({ ...NODE, engine: 'js', mode: 'ipvs' });
  const engine = createJsEngine(start.engineOptions);
  const load = engine.load.bind(engine);
  engine.load = (program) => {
    if (program.virtualServices.length > 1) throw new CapacityError('virtual services', 1, program.virtualServices.length);
    load(program);
  };
  const dataplane = new NodeDataplane(engine, start);
  dataplane.apply([service('TCP'), slice('TCP', [{ address: '10.0.1.1' }])]);
  const other = { ...service('UDP', { clusterIP: '172.30.0.11' }), metadata: { name: 'other' } };
  expect(() => dataplane.apply([other])).toThrow(CapacityError);
  expect(dataplane.servicePorts().map(({ servicePort }) => servicePort)).toEqual(['default/web']);
  expect(dataplane.process(PACKET)).toMatchObject({ action: 'DNAT', backend: { address: '10.0.1.1', port: 8080 } });
});
