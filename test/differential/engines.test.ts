// Two engines, one truth: random clusters and traffic from a printed seed; both engines must agree packet by packet, on the
// verdict, the backend, the rules evaluated, the connections, and the numbers drawn.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Family } from '../../src/address.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import type { Packet, ProxyMode, Verdict } from '../../src/packet.ts';
import { type AddressPlan, frontendsOf, NODE, objectsOf, PLANS, type RandomService, randomService } from './clusters.ts';

type Command =
  | {
      readonly kind: 'packet';
      readonly service: number;
      readonly frontend: number;
      readonly client: number;
      readonly port: number;
      readonly flags: number;
    }
  | { readonly kind: 'follow'; readonly back: number; readonly isReply: boolean; readonly flags: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'change'; readonly service: number; readonly to: RandomService };

const flags = fc.constantFrom(2, 2, 2, 16, 16, 18, 17, 4, 0, 24);

function commands(withAffinity: boolean): fc.Arbitrary<Command[]> {
  const packet = fc.record({
    kind: fc.constant('packet' as const),
    service: fc.integer({ min: 0, max: 3 }),
    frontend: fc.nat(9),
    client: fc.nat(9),
    port: fc.constantFrom(1000, 1001, 300, 600, 40000),
    flags,
  });
  const follow = fc.record({ kind: fc.constant('follow' as const), back: fc.nat(5), isReply: fc.boolean(), flags });
  const advance = fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(1, 500, 3000, 31000, 61000, 130000, 90_000_000) });
  const change = fc.record({
    kind: fc.constant('change' as const),
    service: fc.integer({ min: 0, max: 3 }),
    to: randomService(withAffinity),
  });
  return fc.array(
    fc.oneof(
      { arbitrary: packet, weight: 5 },
      { arbitrary: follow, weight: 4 },
      { arbitrary: advance, weight: 1 },
      { arbitrary: change, weight: 1 },
    ),
    {
      minLength: 1,
      maxLength: 60,
    },
  );
}

function clientsOf(plan: AddressPlan): string[] {
  return [plan.pod(0), plan.pod(1), plan.pod(50), ...plan.node, ...plan.outside, plan.externalIP(100)];
}

/** The packet that goes on where a verdict left off, in either direction. */
function followUp(sent: Packet, verdict: Verdict, isReply: boolean, tcpFlags: number): Packet {
  if (!isReply) return { ...sent, tcpFlags };
  const { source, sourcePort, destination, destinationPort } = verdict.translated;
  return {
    protocol: sent.protocol,
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
    tcpFlags,
  };
}

class Pair {
  now = 1000;
  readonly wasm: Dataplane;
  readonly js: Dataplane;

  constructor(mode: ProxyMode, plan: AddressPlan, seed: number, options: { readonly randomFully: boolean; readonly conntrackMax: number }) {
    const make = (engine: 'wasm' | 'js'): Dataplane =>
      createDataplaneSync({
        mode,
        engine,
        seed,
        nodeName: NODE,
        nodeIPs: plan.node,
        conntrackMax: options.conntrackMax,
        host: { randomFully: options.randomFully },
        config: { clusterCIDR: plan.podCIDR },
        now: () => this.now,
      });
    this.wasm = make('wasm');
    this.js = make('js');
  }

  both(act: (dataplane: Dataplane) => void): void {
    act(this.wasm);
    act(this.js);
  }

  send(packet: Packet): Verdict {
    const trace = this.wasm.trace(packet).verdict;
    const { outcomes } = this.wasm.explain(packet);
    const verdict = this.wasm.process(packet);
    expect(this.js.process(packet)).toEqual(verdict);
    expect(trace).toEqual(verdict);
    if (verdict.connection === 'NEW' && this.wasm.counters().conntrackFull === 0 && this.wasm.counters().insertFailed === 0) {
      const same = outcomes.filter(
        (outcome) =>
          outcome.action === verdict.action &&
          outcome.backend?.address === verdict.backend?.address &&
          outcome.masquerade === verdict.masquerade,
      );
      expect(same.length).toBeGreaterThan(0);
    }
    return verdict;
  }

  compare(): void {
    const sorted = (dataplane: Dataplane): string[] =>
      [...dataplane.connections()].map((connection) => JSON.stringify(connection, Object.keys(connection).sort())).sort();
    const deep = (dataplane: Dataplane): unknown =>
      [...dataplane.connections()].sort(
        (a, b) => JSON.stringify(a.original).localeCompare(JSON.stringify(b.original)) || a.protocol.localeCompare(b.protocol),
      );
    expect(sorted(this.js).length).toBe(sorted(this.wasm).length);
    expect(deep(this.js)).toEqual(deep(this.wasm));
    expect({ ...this.js.counters(), memory: undefined }).toEqual({ ...this.wasm.counters(), memory: undefined });
  }
}

function run(
  mode: ProxyMode,
  family: Family,
  seed: number,
  setup: { services: readonly RandomService[]; commands: readonly Command[]; randomFully: boolean; conntrackMax: number },
): void {
  const plan = PLANS[family];
  const services = [...setup.services];
  const pair = new Pair(mode, plan, seed, setup);
  pair.both((dataplane) => dataplane.apply(services.flatMap((service, index) => objectsOf(index, service, plan))));
  const clients = clientsOf(plan);
  const sent: { readonly packet: Packet; readonly verdict: Verdict }[] = [];
  for (const command of setup.commands) {
    switch (command.kind) {
      case 'advance':
        pair.now += command.ms;
        break;
      case 'change': {
        const index = command.service % services.length;
        services[index] = command.to;
        pair.both((dataplane) => dataplane.apply(objectsOf(index, command.to, plan)));
        break;
      }
      case 'packet': {
        const index = command.service % services.length;
        const service = services[index];
        if (service === undefined) break;
        const frontends = [...frontendsOf(index, service, plan), { address: plan.clusterIP(index), port: 81 }];
        const target = frontends[command.frontend % frontends.length];
        if (target === undefined) break;
        const packet: Packet = {
          protocol: service.protocol,
          source: clients[command.client % clients.length] ?? '',
          sourcePort: command.port,
          destination: target.address,
          destinationPort: target.port,
          tcpFlags: command.flags,
        };
        sent.unshift({ packet, verdict: pair.send(packet) });
        break;
      }
      case 'follow': {
        const before = sent[command.back];
        if (before === undefined) break;
        const packet = followUp(before.packet, before.verdict, command.isReply, command.flags);
        pair.send(packet);
        break;
      }
    }
  }
  pair.compare();
}

const modes: readonly (readonly [ProxyMode, Family, boolean])[] = [
  ['iptables', 'IPv4', true],
  ['iptables', 'IPv6', true],
  ['nftables', 'IPv4', true],
  ['nftables', 'IPv6', true],
  ['ipvs', 'IPv4', false],
  ['ipvs', 'IPv6', false],
];

describe.each(modes)('both engines in %s mode on %s', (mode, family, withAffinity) => {
  test('agree on every packet of random traffic to random clusters', () => {
    const setup = fc.record({
      services: fc.array(randomService(withAffinity), { minLength: 1, maxLength: 4 }),
      commands: commands(withAffinity),
      randomFully: fc.boolean(),
      conntrackMax: fc.constantFrom(3, 1000),
    });
    // fast-check prints the seed and the shrunk case of a failure.
    fc.assert(
      fc.property(fc.integer({ min: 0 }), setup, (seed, given) => run(mode, family, seed, given)),
      { numRuns: 150 },
    );
  });
});
