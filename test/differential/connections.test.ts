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
