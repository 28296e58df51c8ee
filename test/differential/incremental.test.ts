// A change is put in force by what differs. An engine that follows changes must agree, packet by packet, with one that is given every
// Program whole, as a copy in which no object is the same as before; in all modes, on both engines, with connections and sightings kept.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Family } from '../../src/address.ts';
import { readWatchedObject } from '../../src/api/read-object.ts';
import { settleConfig } from '../../src/api/settings.ts';
import { createCompiler } from '../../src/compile/compile.ts';
import { compileOptionsFor } from '../../src/compile/node-options.ts';
import type { Engine, EngineOptions } from '../../src/engine/engine.ts';
import { nodeIpvsSysctls } from '../../src/engine/ipvs-sysctls.ts';
import { createJsEngine } from '../../src/engine/js/engine.ts';
import { checkEngine } from '../../src/engine/wasm/check-engine.ts';
import { startCoreSync } from '../../src/engine/wasm/core.ts';
import { embeddedCore } from '../../src/engine/wasm/embedded-core.ts';
import { WasmEngine } from '../../src/engine/wasm/engine.ts';
import type { Packet, ProxyMode, Verdict } from '../../src/packet.ts';
import { EnginePacketBatch } from '../../src/packet-batch.ts';
import type { Program } from '../../src/program/program.ts';
import { createState } from '../../src/state/state.ts';
import { frontendsOf, NODE, objectsOf, PLANS, type RandomService, randomService } from './clusters.ts';

const SERVICES = 5;

type Command =
  | { readonly kind: 'change'; readonly service: number; readonly to: RandomService | null }
  | {
      readonly kind: 'packet';
      readonly service: number;
      readonly frontend: number;
      readonly client: number;
      readonly port: number;
      readonly flags: number;
    }
  | { readonly kind: 'advance'; readonly ms: number };

function commands(): fc.Arbitrary<Command[]> {
  const service = fc.nat(SERVICES - 1);
  const change = fc.record({ kind: fc.constant('change' as const), service, to: fc.option(randomService(true), { freq: 4 }) });
  const packet = fc.record({
    kind: fc.constant('packet' as const),
    service,
    frontend: fc.nat(9),
    client: fc.nat(5),
    port: fc.integer({ min: 1000, max: 1020 }),
    flags: fc.constantFrom(2, 2, 16, 4),
  });
  const advance = fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(1, 3000, 61_000) });
  return fc.array(fc.oneof({ arbitrary: change, weight: 3 }, { arbitrary: packet, weight: 6 }, { arbitrary: advance, weight: 1 }), {
    minLength: 1,
    maxLength: 60,
  });
}

class Runner {
  readonly engine: Engine;
  readonly #batch: EnginePacketBatch;
  readonly #isWhole: boolean;

  constructor(engine: Engine, family: Family, isWhole: boolean) {
    this.engine = engine;
    this.#batch = new EnginePacketBatch(engine, engine.createBatch(family, 1));
    this.#isWhole = isWhole;
  }

  load(program: Program): void {
    this.engine.load(this.#isWhole ? (JSON.parse(JSON.stringify(program)) as Program) : program);
    if (this.engine instanceof WasmEngine) checkEngine(this.engine);
  }

  send(packet: Packet, now: number): Verdict {
    this.#batch.set(0, packet);
    this.engine.processBatch(this.#batch.memory, 1, now);
    return this.#batch.verdict(0);
  }
}

function run(mode: ProxyMode, family: Family, seed: number, list: readonly Command[]): void {
  const plan = PLANS[family];
  const settings = settleConfig({ mode, nodeName: NODE, nodeIPs: plan.node, config: { clusterCIDR: plan.podCIDR } });
  const options: EngineOptions = {
    seed,
    conntrackMax: 1000,
    timeouts: settings.timeouts,
    tcpLoose: settings.tcpLoose,
    ipvsSysctls: nodeIpvsSysctls(mode),
  };
  const state = createState({ nodeName: NODE, features: settings.features });
  const compile = createCompiler(mode);
  const runners = [false, true].flatMap((isWhole) => [
    new Runner(new WasmEngine(startCoreSync(embeddedCore()), options), family, isWhole),
    new Runner(createJsEngine(options), family, isWhole),
  ]);
  const load = (): void => {
    const program = compile(state.expectedState(family), compileOptionsFor(settings, family));
    for (const runner of runners) runner.load(program);
  };
  load();
  const services: (RandomService | undefined)[] = [];
  const clients = [plan.pod(0), plan.pod(1), plan.pod(50), ...plan.node, ...plan.outside];
  let now = 1000;
  for (const command of list) {
    if (command.kind === 'advance') now += command.ms;
    if (command.kind === 'change') {
      services[command.service] = command.to ?? undefined;
      if (command.to === null) state.delete([{ kind: 'Service', namespace: 'ns', name: `svc${command.service}` }]);
      else state.apply(objectsOf(command.service, command.to, plan).flatMap((object) => readWatchedObject(object) ?? []));
      load();
    }
    if (command.kind === 'packet') {
      const service = services[command.service];
      const frontends =
        service === undefined ? [{ address: plan.clusterIP(command.service), port: 80 }] : frontendsOf(command.service, service, plan);
      const target = frontends[command.frontend % frontends.length];
      if (target === undefined) continue;
      const packet: Packet = {
        protocol: service?.protocol ?? 'TCP',
        source: clients[command.client % clients.length] ?? '',
        sourcePort: command.port,
        destination: target.address,
        destinationPort: target.port,
        tcpFlags: command.flags,
      };
      const [first, ...others] = runners.map((runner) => runner.send(packet, now));
      for (const other of others) expect(other).toEqual(first);
    }
  }
  const [first, ...others] = runners.map(
    ({ engine }) => new Set(Array.from(engine.connections(now), (connection) => JSON.stringify(connection))),
  );
  for (const other of others) expect(other).toEqual(first);
}

const cases = (['iptables', 'nftables', 'ipvs'] as const).flatMap((mode) =>
  (['IPv4', 'IPv6'] as const).map((family) => ({ mode, family })),
);

describe.each(cases)('changes in $mode mode on $family', ({ mode, family }) => {
  test('leave both engines as if each Program had been loaded whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), commands(), (seed, list) => run(mode, family, seed, list)),
      { numRuns: 60 },
    );
  });
});
