// Two engines, one truth: random clusters and traffic from a printed seed; both engines must agree packet by packet, on the
// verdict, the backend, the rules evaluated, the connections, and the numbers drawn.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Family } from '../../src/address.ts';
import { IPVS_SCHEDULERS } from '../../src/api/config.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane, Trace } from '../../src/dataplane-types.ts';
import { type Packet, type ProxyMode, SCTP_CHUNKS, type Verdict } from '../../src/packet.ts';
import { type AddressPlan, frontendsOf, NODE, objectsOf, PLANS, type RandomService, randomService } from './clusters.ts';

type Command =
  | {
      readonly kind: 'packet';
      readonly service: number;
      readonly frontend: number;
      readonly client: number;
      readonly port: number;
      readonly header: Header;
    }
  | { readonly kind: 'follow'; readonly back: number; readonly isReply: boolean; readonly header: Header }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'change'; readonly service: number; readonly to: RandomService };

/** Each protocol looks at its own. */
type Header = Pick<Packet, 'tcpFlags' | 'sctpChunk'>;

const header: fc.Arbitrary<Header> = fc.record(
  { tcpFlags: fc.constantFrom(2, 2, 2, 16, 16, 18, 17, 4, 0, 24), sctpChunk: fc.constantFrom(...SCTP_CHUNKS) },
  { requiredKeys: ['tcpFlags'] },
);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('packet' as const),
      service: fc.integer({ min: 0, max: 3 }),
      frontend: fc.nat(9),
      client: fc.nat(9),
      port: fc.constantFrom(1000, 1001, 300, 600, 40000, 20),
      header,
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({ kind: fc.constant('follow' as const), back: fc.nat(5), isReply: fc.boolean(), header }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 500, 3000, 31_000, 61_000, 130_000, 90_000_000),
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record({ kind: fc.constant('change' as const), service: fc.integer({ min: 0, max: 3 }), to: randomService(true) }),
    weight: 1,
  },
);

function clientsOf(plan: AddressPlan): string[] {
  return [plan.pod(0), plan.pod(1), plan.pod(50), ...plan.node, ...plan.outside, plan.externalIP(100)];
}

/** The packet that goes on where a verdict left off, in either direction. */
function followUp({ sctpChunk: _, ...sent }: Packet, verdict: Verdict, isReply: boolean, header: Header): Packet {
  if (!isReply) return { ...sent, ...header };
  const { source, sourcePort, destination, destinationPort } = verdict.translated;
  return {
    protocol: sent.protocol,
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
    ...header,
  };
}

/** How IPVS is set up; in other modes it plays no part. */
interface IpvsSetup {
  readonly scheduler: string;
  readonly timeouts: { readonly tcpTimeout: string; readonly tcpFinTimeout: string; readonly udpTimeout: string } | undefined;
  readonly sysctls: Readonly<Record<string, number>>;
}

const ipvsSetup: fc.Arbitrary<IpvsSetup> = fc.record({
  scheduler: fc.constantFrom(...IPVS_SCHEDULERS),
  timeouts: fc.option(
    fc.record({
      tcpTimeout: fc.constantFrom('0s', '40s'),
      tcpFinTimeout: fc.constantFrom('0s', '20s'),
      udpTimeout: fc.constantFrom('0s', '10s'),
    }),
    { nil: undefined },
  ),
  sysctls: fc.record(
    {
      'net.ipv4.vs.conn_reuse_mode': fc.constant(0),
      'net.ipv4.vs.expire_nodest_conn': fc.constant(0),
      'net.ipv4.vs.expire_quiescent_template': fc.constant(0),
      'net.ipv4.vs.sloppy_tcp': fc.constant(1),
      'net.ipv4.vs.sloppy_sctp': fc.constant(1),
      'net.ipv4.vs.lblc_expiration': fc.constant(60),
      'net.ipv4.vs.lblcr_expiration': fc.constant(60),
    },
    { requiredKeys: [] },
  ),
});

interface PairOptions {
  readonly randomFully: boolean;
  readonly conntrackMax: number;
  readonly ipvs: IpvsSetup;
}

class Pair {
  now = 1000;
  readonly wasm: Dataplane;
  readonly js: Dataplane;

  constructor(mode: ProxyMode, plan: AddressPlan, seed: number, { randomFully, conntrackMax, ipvs }: PairOptions) {
    const make = (engine: 'wasm' | 'js'): Dataplane =>
      createDataplaneSync({
        mode,
        engine,
        seed,
        nodeName: NODE,
        nodeIPs: plan.node,
        conntrackMax,
        host: { randomFully },
        config: { clusterCIDR: plan.podCIDR, ipvs: { scheduler: ipvs.scheduler, ...ipvs.timeouts } },
        sysctls: ipvs.sysctls,
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
    const traces = [this.wasm, this.js].map((dataplane) => dataplane.trace(packet));
    const { outcomes } = this.wasm.explain(packet);
    const verdict = this.wasm.process(packet);
    expect(this.js.process(packet)).toEqual(verdict);
    for (const trace of traces) expect(trace.verdict).toEqual(verdict);
    expect(traces[1]).toEqual(traces[0]);
    const isNew = verdict.connection === 'NEW' && !isBoundByIpvs(traces[0]);
    if (isNew && this.wasm.counters().conntrackFull === 0 && this.wasm.counters().insertFailed === 0) {
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

/** IPVS knows the connection or its client: explanations are about a client that it does not know. */
function isBoundByIpvs(trace: Trace | undefined): boolean {
  return trace?.steps.some((step) => step.kind === 'ipvs' && /its (connection|client)/.test(step.text)) ?? false;
}

function run(
  mode: ProxyMode,
  family: Family,
  seed: number,
  setup: PairOptions & { readonly services: readonly RandomService[]; readonly commands: readonly Command[] },
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
          ...command.header,
        };
        sent.unshift({ packet, verdict: pair.send(packet) });
        break;
      }
      case 'follow': {
        const before = sent[command.back];
        if (before === undefined) break;
        const packet = followUp(before.packet, before.verdict, command.isReply, command.header);
        pair.send(packet);
        break;
      }
    }
  }
  pair.compare();
}

const modes: readonly (readonly [ProxyMode, Family])[] = [
  ['iptables', 'IPv4'],
  ['iptables', 'IPv6'],
  ['nftables', 'IPv4'],
  ['nftables', 'IPv6'],
  ['ipvs', 'IPv4'],
  ['ipvs', 'IPv6'],
];

describe.each(modes)('both engines in %s mode on %s', (mode, family) => {
  test('agree on every packet of random traffic to random clusters', () => {
    const setup = fc.record({
      services: fc.array(randomService(true), { minLength: 1, maxLength: 4 }),
      commands: fc.array(command, { minLength: 1, maxLength: 60 }),
      randomFully: fc.boolean(),
      conntrackMax: fc.constantFrom(3, 1000),
      ipvs: ipvsSetup,
    });
    // fast-check prints the seed and the shrunk case of a failure.
    fc.assert(
      fc.property(fc.integer({ min: 0 }), setup, (seed, given) => run(mode, family, seed, given)),
      { numRuns: 150 },
    );
  });
});
