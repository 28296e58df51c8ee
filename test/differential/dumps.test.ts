// Two engines, one truth, on rules that nodes printed: random packets through each dump, back and forth, with the marks and interfaces that
// its rules ask for. trace foresees each verdict.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Packet } from '../../src/packet.ts';
import { CALICO, CALICO_SETS, CILIUM, CILIUM_SETS, FLANNEL_DOCKER, readFixture } from '../parse/fixtures.ts';

const NODE = '192.168.0.11';

interface Story {
  readonly packet: Packet;
  /** The answer comes, too, when the packet got through. */
  readonly isAnswered: boolean;
}

const story: fc.Arbitrary<Story> = fc.record({
  packet: fc.record({
    protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
    source: fc.constantFrom('10.0.1.9', '10.244.1.9', '203.0.113.9', NODE),
    sourcePort: fc.integer({ min: 40000, max: 40003 }),
    destination: fc.constantFrom('10.96.0.10', '10.96.0.20', '172.17.0.2', '203.0.113.53', '192.168.0.12', NODE),
    destinationPort: fc.constantFrom(53, 80, 8080, 6443),
    tcpFlags: fc.constantFrom(2, 2, 16, 17, 4),
    mark: fc.constantFrom(0, 0x200, 0x8b660200, 0xa00, 0xf00, 0x40000),
    inInterface: fc.constantFrom('', 'eth0', 'lxc12', 'cilium_host', 'cali12', 'docker0'),
  }),
  isAnswered: fc.boolean(),
});

describe.each([
  ['flannel and Docker', readFixture(FLANNEL_DOCKER)],
  ['Calico', readFixture(CALICO) + readFixture(CALICO_SETS)],
  ['Cilium', readFixture(CILIUM) + readFixture(CILIUM_SETS)],
])('both engines on a dump of %s', (_name, rules) => {
  test('agree on every packet, with each other and with trace', () => {
    // fast-check prints the seed and the shrunk case of a failure.
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.array(story, { minLength: 1, maxLength: 30, size: 'max' }), (seed, stories) => {
        using wasm = createDataplaneSync({ rules, lenient: true, nodeIPs: [NODE], engine: 'wasm', seed, now: () => 0 });
        using js = createDataplaneSync({ rules, lenient: true, nodeIPs: [NODE], engine: 'js', seed, now: () => 0 });
        const send = (packet: Packet) => {
          const foreseen = js.trace(packet);
          expect(wasm.trace(packet)).toEqual(foreseen);
          const verdict = wasm.process(packet);
          expect(js.process(packet)).toEqual(verdict);
          expect(foreseen.verdict).toEqual(verdict);
          return verdict;
        };
        for (const { packet, isAnswered } of stories) {
          const { action, translated } = send(packet);
          if (!isAnswered || action === 'DROP' || action === 'REJECT') continue;
          const { source, sourcePort, destination, destinationPort } = translated;
          const ends = { source: destination, sourcePort: destinationPort, destination: source, destinationPort: sourcePort };
          send({ ...packet, ...ends, tcpFlags: 18 });
        }
        expect([...js.connections()]).toEqual([...wasm.connections()]);
        expect(js.counters().untracked).toBe(wasm.counters().untracked);
      }),
      { numRuns: 25 },
    );
  });
});
