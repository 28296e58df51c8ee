// The TypeScript engine: runs Programs over plain objects and Maps. The fallback where WebAssembly is forbidden, and the twin
// that the core is checked against.
import type { Family } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import type { Action, ConnectionState } from '../../packet.ts';
import type { Program } from '../../program/program.ts';
import type { Engine, EngineBatch, EngineCounters, EngineOptions, EngineView, TrackedConnection } from '../engine.ts';
import type { EngineFrameRing, FrameCounters, RingShape, ServicePortTraffic } from '../frame-ring.ts';
import { PACKET_LAYOUT, VERDICT_LAYOUT } from '../layouts.ts';
import { Conntrack } from './conntrack.ts';
import type { Flight } from './flight.ts';
import { createFrameRing, Frames } from './frames.ts';
import { NodeIpvs } from './ipvs.ts';
import { LoadedProgram } from './loaded-program.ts';
import { NameTable } from './names.ts';
import type { Surroundings } from './nat.ts';
import { type PacketVerdict, processPacket } from './packet.ts';
import { readFlight, readTuple, writeVerdict } from './records.ts';
import { EngineState, type EventCounters } from './state.ts';
import { engineView, trackedConnection } from './view.ts';

/** A packet record has 16 bits for an interface, a verdict record 32 for a ServicePort. */
const INTERFACES_MAX = 0xffff;
/** IFNAMSIZ without the final 0. */
const INTERFACE_NAME_MAX = 15;
const SERVICE_PORTS_MAX = 0xffffffff;

export function createJsEngine(options: EngineOptions): Engine {
  return new JsEngine(options);
}

class JsEngine implements Engine {
  readonly kind = 'js';
  readonly #options: EngineOptions;
  readonly #state: EngineState;
  readonly #conntrack: Conntrack;
  readonly #interfaces = new NameTable('interface names', INTERFACES_MAX);
  readonly #servicePorts = new NameTable('ServicePorts', SERVICE_PORTS_MAX);
  readonly #ipvs: NodeIpvs;
  readonly #programs: Readonly<Record<Family, LoadedProgram>>;
  readonly #frames: Frames;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#state = new EngineState(options.seed);
    this.#conntrack = new Conntrack(options.conntrackMax, this.#state.counters);
    this.#ipvs = new NodeIpvs(
      this.#state.random,
      options.ipvsSysctls,
      (name) => this.#servicePorts.id(name),
      (protocol, tuple) => this.#conntrack.removeOriginal(protocol, tuple),
    );
    this.#programs = {
      IPv4: new LoadedProgram('IPv4', this.#state, this.#servicePorts, this.#ipvs),
      IPv6: new LoadedProgram('IPv6', this.#state, this.#servicePorts, this.#ipvs),
    };
    const state = this.#state;
    this.#frames = new Frames({
      conntrack: this.#conntrack,
      interfaces: this.#interfaces,
      get now() {
        return state.now;
      },
      begin: () => this.#ipvs.fireTimers(),
      run: (flight, family) => this.#run(flight, family),
    });
  }

  load(program: Program, now = this.#state.now): void {
    this.#programs[program.family].load(program, this.#state.later(now));
  }

  createBatch(family: Family, capacity: number): EngineBatch {
    const packets = new Uint32Array(capacity * PACKET_LAYOUT[family].words);
    const verdicts = new Uint32Array(capacity * VERDICT_LAYOUT[family].words);
    return { family, capacity, packetWords: () => packets, verdictWords: () => verdicts, free: () => {} };
  }

  processBatch(batch: EngineBatch, count: number, now: number): void {
    this.#state.now = this.#state.later(now);
    this.#ipvs.advance(this.#state.now);
    const { family } = batch;
    const packets = batch.packetWords();
    const verdicts = batch.verdictWords();
    for (let index = 0; index < count; index++) {
      this.#ipvs.fireTimers();
      const flight = readFlight(packets, index, family, this.#interfaces);
      const verdict = flight === undefined ? this.#count(refuseUnknown(packets, index, family)) : this.#run(flight, family);
      writeVerdict(verdicts, index, family, verdict);
    }
  }

  createFrameRing(shape: RingShape, transmit?: EngineFrameRing): EngineFrameRing {
    return createFrameRing(shape, transmit);
  }

  processFrames(ring: EngineFrameRing, now: number): void {
    this.#state.now = this.#state.later(now);
    this.#ipvs.advance(this.#state.now);
    this.#frames.process(ring);
  }

  frameCounters(): FrameCounters {
    return this.#frames.counters();
  }

  traffic(): Record<string, ServicePortTraffic> {
    const named: Record<string, ServicePortTraffic> = {};
    for (const [id, traffic] of this.#frames.traffic) {
      const name = this.#servicePorts.name(id);
      if (name !== undefined) named[name] = { ...traffic };
    }
    return named;
  }

  interfaceId(name: string): number {
    if (new TextEncoder().encode(name).length > INTERFACE_NAME_MAX) {
      throw new InvalidArgumentError('packet.inInterface', name, `is longer than ${INTERFACE_NAME_MAX} bytes`);
    }
    return name === '' ? 0 : this.#interfaces.id(name);
  }

  servicePortName(id: number): string | undefined {
    return this.#servicePorts.name(id);
  }

  *connections(now: number): IterableIterator<TrackedConnection> {
    const later = this.#state.later(now);
    this.#ipvs.advance(later);
    for (const connection of this.#conntrack.unexpired(later)) yield trackedConnection(connection, this.#servicePorts, later);
  }

  deleteConnections(now: number, shouldDelete: (connection: TrackedConnection) => boolean): number {
    const later = this.#state.later(now);
    this.#ipvs.advance(later);
    const doomed = [...this.#conntrack.unexpired(later)].filter((connection) =>
      shouldDelete(trackedConnection(connection, this.#servicePorts, later)),
    );
    for (const connection of doomed) this.#conntrack.remove(connection);
    return doomed.length;
  }

  counters(now: number): EngineCounters {
    let connections = 0;
    const later = this.#state.later(now);
    this.#ipvs.advance(later);
    for (const _ of this.#conntrack.unexpired(later)) connections++;
    return { ...this.#state.counters, connections };
  }

  view(family: Family, now: number): EngineView {
    const later = this.#state.later(now);
    this.#ipvs.advance(later);
    return engineView(this.#surroundings(family), this.#servicePorts, later);
  }

  #run(flight: Flight, family: Family): PacketVerdict {
    return this.#count(processPacket(flight, this.#surroundings(family), this.#options));
  }

  #count(verdict: PacketVerdict): PacketVerdict {
    countVerdict(this.#state.counters, verdict);
    return verdict;
  }

  #surroundings(family: Family): Surroundings {
    return { program: this.#programs[family], conntrack: this.#conntrack, state: this.#state, ipvs: this.#ipvs };
  }
}

/** A record of a protocol without ports: nothing can be said about it, it is dropped before any rule. */
function refuseUnknown(words: Uint32Array, index: number, family: Family): PacketVerdict {
  const translated = readTuple(words, index, family);
  return { action: 'DROP', connection: 'INVALID', servicePort: 0, isMasquerade: false, translated, rulesEvaluated: 0 };
}

const actionCounters: Readonly<Record<Action, keyof EventCounters>> = {
  ACCEPT: 'accepted',
  DNAT: 'dnat',
  DROP: 'dropped',
  REJECT: 'rejected',
};

/** NEW ones are counted when they are entered. */
const connectionCounters: Readonly<Record<Exclude<ConnectionState, 'NEW'>, keyof EventCounters>> = {
  ESTABLISHED: 'established',
  REPLY: 'replies',
  INVALID: 'invalid',
  UNTRACKED: 'untracked',
};

function countVerdict(counters: EventCounters, { action, connection }: PacketVerdict): void {
  counters.packets++;
  counters[actionCounters[action]]++;
  if (connection !== 'NEW') counters[connectionCounters[connection]]++;
}
