// A full connection table: both engines keep the same connections, packet by packet, through expiry, early drop, removal and new ones.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../src/api/types.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import { type Packet, SCTP_CHUNKS } from '../../src/packet.ts';

const objects: readonly KubernetesObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'ns', name: 'svc' },
    spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ port: 80, protocol: 'TCP' }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'ns', name: 'svc-1', labels: { 'kubernetes.io/service-name': 'svc' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.244.0.1'], conditions: { ready: true } }],
  },
];

/** Without endpoints: REJECT. */
const refused: readonly KubernetesObject[] = (['IPv4', 'IPv6'] as const).map((family) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'ns', name: `refused-${family.toLowerCase()}` },
  spec: {
    clusterIP: family === 'IPv4' ? '10.96.0.9' : 'fd03::9',
    ipFamilies: [family],
    ports: ['TCP', 'UDP', 'SCTP'].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol })),
  },
}));

const SYN = 2;
const ACK = 16;
const FIN = 1;

type Step = Readonly<typeof step extends fc.Arbitrary<infer One> ? One : never>;
const step = fc.record({
  protocol: fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
  isIPv6: fc.boolean(),
  client: fc.nat(60),
  kind: fc.constantFrom('new', 'new', 'new', 'reply', 'go on', 'close'),
  sctpChunk: fc.constantFrom(undefined, undefined, undefined, ...SCTP_CHUNKS),
  advanceMs: fc.constantFrom(0, 0, 0, 0, 1, 2500, 3500, 31_000, 130_000),
});

function packetOf({ protocol, isIPv6, client, kind, sctpChunk }: Step): Packet {
  const source = isIPv6 ? `fd00::${client + 1}` : `10.9.0.${client + 1}`;
  const destination = isIPv6 ? 'fd01::1' : '10.8.0.1';
  const there = { source, sourcePort: 1000, destination, destinationPort: 53 };
  const back = { source: destination, sourcePort: 53, destination: source, destinationPort: 1000 };
  const tcpFlags = { new: SYN, reply: SYN | ACK, 'go on': ACK, close: FIN | ACK }[kind] ?? SYN;
  return { protocol, ...(kind === 'reply' ? back : there), tcpFlags, ...(sctpChunk === undefined ? {} : { sctpChunk }) };
}

test('both engines keep the same connections in a full table', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 250 }), fc.constantFrom(2, 20, 45), (steps, conntrackMax) => {
      let now = 0;
      const engines = (['wasm', 'js'] as const).map((engine) =>
        createDataplaneSync({ engine, seed: 5, nodeIPs: ['192.168.0.1', 'fd02::1'], conntrackMax, now: () => now }),
      );
      const [wasm, js] = engines as [Dataplane, Dataplane];
      for (const one of steps) {
        now += one.advanceMs;
        const packet = packetOf(one);
        const foreseen = wasm.trace(packet).verdict;
        expect(js.trace(packet).verdict).toEqual(foreseen);
        const verdict = wasm.process(packet);
        expect(js.process(packet)).toEqual(verdict);
        expect(verdict).toEqual(foreseen);
        expect({ ...js.counters(), memory: undefined }).toEqual({ ...wasm.counters(), memory: undefined });
      }
      expect([...js.connections()]).toEqual([...wasm.connections()]);
    }),
    { numRuns: 60 },
  );
});

test('both engines keep the same connections in a full table, batch by batch', () => {
  const inBatch = fc.record({ one: step, isRefused: fc.constantFrom(false, false, true) });
  const batch = fc.record({
    isIPv6: fc.boolean(),
    advanceMs: fc.constantFrom(0, 0, 1, 2500, 31_000),
    steps: fc.array(inBatch, { minLength: 1, maxLength: 40 }),
  });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 20 }), fc.constantFrom(2, 20, 45), (batches, conntrackMax) => {
      let now = 0;
      const sides = (['wasm', 'js'] as const).map((engine) => {
        const dataplane = createDataplaneSync({ engine, seed: 5, nodeIPs: ['192.168.0.1', 'fd02::1'], conntrackMax, now: () => now });
        dataplane.apply(refused);
        return { dataplane, IPv4: dataplane.createBatch(40), IPv6: dataplane.createBatch(40, { family: 'IPv6' }) };
      });
      for (const { isIPv6, advanceMs, steps } of batches) {
        now += advanceMs;
        const [wasm, js] = sides.map((side) => {
          const packets = side[isIPv6 ? 'IPv6' : 'IPv4'];
          for (const [index, { one, isRefused }] of steps.entries()) {
            const packet = packetOf({ ...one, isIPv6, client: one.client % 6 });
            packets.set(index, isRefused ? { ...packet, destination: isIPv6 ? 'fd03::9' : '10.96.0.9', destinationPort: 53 } : packet);
          }
          packets.count = steps.length;
          side.dataplane.processBatch(packets);
          return { verdicts: steps.map((_, index) => packets.verdict(index)), connections: [...side.dataplane.connections()] };
        });
        expect(js).toEqual(wasm);
      }
    }),
    { numRuns: 100 },
  );
});

test('a connection that had to go is gone for the packets behind it in the same batch', () => {
  for (const engine of ['wasm', 'js'] as const) {
    const dataplane = createDataplaneSync({ engine, seed: 5, nodeIPs: ['192.168.0.1'], conntrackMax: 1, now: () => 0 });
    dataplane.apply(refused);
    const packets = dataplane.createBatch(3);
    const toDns: Packet = { protocol: 'UDP', source: '10.9.0.1', sourcePort: 1000, destination: '10.8.0.1', destinationPort: 53 };
    packets.set(0, toDns);
    packets.set(1, { ...toDns, destination: '10.96.0.9' });
    packets.set(2, toDns);
    packets.count = 1;
    dataplane.processBatch(packets);

    packets.count = 3;
    dataplane.processBatch(packets);

    expect(
      [0, 1, 2].map((index) => packets.verdict(index).connection),
      engine,
    ).toEqual(['ESTABLISHED', 'NEW', 'NEW']);
  }
});

test('a traced packet foresees the source port that early drop leaves free', () => {
  // Two clients with the same source port, masqueraded; when the table is full, the older one has to go, and its port with it.
  for (const engine of ['wasm', 'js'] as const) {
    const dataplane = createDataplaneSync({
      engine,
      seed: 5,
      nodeIPs: ['192.168.0.1'],
      host: { randomFully: false },
      conntrackMax: 3,
      now: () => 0,
      config: { iptables: { masqueradeAll: true } },
    });
    dataplane.apply(objects);
    for (const [client, sourcePort] of [
      [1, 1000],
      [1, 600],
      [1, 300],
      [2, 600],
      [3, 600],
      [4, 600],
    ] as const) {
      const packet: Packet = { protocol: 'TCP', source: `10.9.0.${client}`, sourcePort, destination: '10.96.0.1', destinationPort: 80 };
      const foreseen = dataplane.trace(packet).verdict;
      expect(dataplane.process(packet), `${engine}, client ${client}`).toEqual(foreseen);
    }
    expect(dataplane.counters().earlyDropped).toBe(3);
  }
});
