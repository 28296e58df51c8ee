// The WebAssembly engine: owns one core and its memory, puts Programs in force, hands batches over.
import { INTERFACE_SIZE } from '../../../assembly/shared/layout.ts';
import { nextRandom, seedRandom } from '../../../assembly/shared/random.ts';
import type { Family } from '../../address.ts';
import { CapacityError, InvalidArgumentError } from '../../errors.ts';
import type { IpvsParts } from '../../ipvs/wasm/engine.ts';
import type { Program } from '../../program/program.ts';
import type { Engine, EngineBatch, EngineCounters, EngineMemory, EngineOptions, EngineView, TrackedConnection } from '../engine.ts';
import type { EngineFrameRing, FrameCounters, RingShape, ServicePortTraffic } from '../frame-ring.ts';
import { WasmBatch, wasmBatch } from './batch.ts';
import { ConnectionTable } from './connections.ts';
import type { Core } from './core.ts';
import { EngineState } from './engine-state.ts';
import { FamilyTables } from './family-tables.ts';
import { WasmFrames } from './frames.ts';
import { LinearMemory } from './memory.ts';
import { NodeIpvs } from './node-ipvs.ts';
import { engineView } from './view.ts';

/** Packets between two looks at the room for what they may begin. */
const CHUNK = 4096;
/** Numbers of interface names in a packet record: 16 bits would allow more than any node has. */
const INTERFACES_MAX = 1024;

/** All that an engine holds in linear memory. */
export interface EngineParts {
  readonly core: Core;
  readonly memory: LinearMemory;
  readonly families: Readonly<Record<Family, FamilyTables>>;
  readonly ipvs: IpvsParts;
}

export function createWasmEngine(core: Core, options: EngineOptions): Engine {
  return new WasmEngine(core, options);
}

export class WasmEngine implements Engine {
  readonly kind = 'wasm';
  readonly #core: Core;
  readonly #memory: LinearMemory;
  readonly #state: EngineState;
  readonly #frames: WasmFrames;
  readonly #ipvs: NodeIpvs;
  readonly #families: Readonly<Record<Family, FamilyTables>>;
  readonly #servicePortIds = new Map<string, number>();
  readonly #servicePortNames: string[] = [''];
  readonly #interfaceNames: number;
  readonly #interfaceIds = new Map<string, number>([['', 0]]);

  constructor(core: Core, options: EngineOptions) {
    this.#core = core;
    const random = seedRandom(options.seed);
    core.seedHash(nextRandom(nextRandom(random)), nextRandom(random));
    const memory = new LinearMemory(core.memory, core.heapBase);
    this.#memory = memory;
    this.#state = new EngineState(memory, core.stateAddress, options, random);
    this.#interfaceNames = memory.allocate(INTERFACES_MAX * INTERFACE_SIZE);
    this.#state.setInterfaces(this.#interfaceNames);
    this.interfaceId('lo'); // INTERFACE_LOOPBACK: the first name
    this.#frames = new WasmFrames(core, memory);
    this.#ipvs = new NodeIpvs(
      core,
      memory,
      options.ipvsSysctls,
      (name) => this.#servicePortId(name),
      (namespace) => this.#state.setIpvs(namespace),
    );
    const makeFamily = (family: Family): FamilyTables => {
      const makeConnections = () => new ConnectionTable(core, memory, family, options.conntrackMax, (id) => this.servicePortName(id));
      return new FamilyTables(core, memory, family, makeConnections, {
        ipvs: this.#ipvs,
        servicePortId: (name) => this.#servicePortId(name),
        publish: (root) => this.#state.setRoot(family, root),
      });
    };
    this.#families = { IPv4: makeFamily('IPv4'), IPv6: makeFamily('IPv6') };
  }

  /** Those that may have connections. */
  get #tracking(): readonly FamilyTables[] {
    return Object.values(this.#families).filter(({ hasConnections }) => hasConnections);
  }

  load(program: Program, now = 0): void {
    this.#families[program.family].program.load(program, now);
  }

  createBatch(family: Family, capacity: number): EngineBatch {
    this.#families[family].reserveConnections();
    return new WasmBatch(this.#memory, family, capacity);
  }

  processBatch(batch: EngineBatch, count: number, now: number): void {
    const { family, packets, packetSize, verdicts, verdictSize } = wasmBatch(batch);
    this.#ipvs.advance(now);
    for (let first = 0; first < count; first += CHUNK) {
      const length = Math.min(CHUNK, count - first);
      this.#families[family].sightings.reserve(length);
      this.#ipvs.reserve(length);
      this.#core.process(family, packets + first * packetSize, verdicts + first * verdictSize, length, now);
    }
  }

  createFrameRing(shape: RingShape, transmit?: EngineFrameRing): EngineFrameRing {
    for (const family of Object.values(this.#families)) family.reserveConnections();
    return this.#frames.createRing(shape, transmit);
  }

  processFrames(ring: EngineFrameRing, now: number): void {
    this.#ipvs.advance(now);
    const { count } = ring;
    for (let first = 0; first < count; first += CHUNK) {
      const length = Math.min(CHUNK, count - first);
      this.#families.IPv4.sightings.reserve(length);
      this.#families.IPv6.sightings.reserve(length);
      this.#ipvs.reserve(length);
      this.#frames.process(ring, first, length, now);
    }
  }

  frameCounters(): FrameCounters {
    return this.#frames.counters();
  }

  traffic(): Record<string, ServicePortTraffic> {
    const named: Record<string, ServicePortTraffic> = {};
    this.#servicePortNames.forEach((name, id) => {
      const traffic = this.#frames.traffic(id);
      if (id > 0 && traffic.packets + traffic.replyPackets > 0) named[name] = traffic;
    });
    return named;
  }

  interfaceId(name: string): number {
    const known = this.#interfaceIds.get(name);
    if (known !== undefined) return known;
    const bytes = new TextEncoder().encode(name);
    if (bytes.length >= INTERFACE_SIZE)
      throw new InvalidArgumentError('packet.inInterface', name, `is longer than ${INTERFACE_SIZE - 1} bytes`);
    const id = this.#interfaceIds.size;
    if (id >= INTERFACES_MAX) throw new CapacityError('interface names', INTERFACES_MAX, id + 1);
    this.#memory.bytes.set(bytes, this.#interfaceNames + id * INTERFACE_SIZE);
    this.#interfaceIds.set(name, id);
    return id;
  }

  servicePortName(id: number): string | undefined {
    return id === 0 ? undefined : this.#servicePortNames[id];
  }

  *connections(now: number): IterableIterator<TrackedConnection> {
    this.#ipvs.advance(now);
    for (const { connections } of this.#tracking) for (const entry of connections.live(now)) yield connections.read(entry, now);
  }

  deleteConnections(now: number, shouldDelete: (connection: TrackedConnection) => boolean): number {
    this.#ipvs.advance(now);
    let deleted = 0;
    for (const { connections } of this.#tracking) {
      for (const entry of connections.live(now)) {
        if (!shouldDelete(connections.read(entry, now))) continue;
        connections.remove(entry);
        deleted++;
      }
    }
    return deleted;
  }

  /** For the self-check. */
  parts(): EngineParts {
    return { core: this.#core, memory: this.#memory, families: this.#families, ipvs: this.#ipvs.parts() };
  }

  counters(now: number): EngineCounters {
    this.#ipvs.advance(now);
    return { ...this.#state.counters(), connections: this.#core.connections(now), memory: this.#usedMemory() };
  }

  #usedMemory(): EngineMemory {
    const sum = (of: readonly FamilyTables[], count: (family: FamilyTables) => number): number =>
      of.reduce((sum, family) => sum + count(family), 0);
    const families = Object.values(this.#families);
    return {
      tables: sum(families, ({ program }) => program.usedBytes) + this.#ipvs.serviceBytes,
      rules: sum(families, ({ program }) => program.ruleCount),
      connections: sum(this.#tracking, ({ connections }) => connections.usedBytes) + this.#ipvs.connectionBytes,
      reserved: this.#memory.used,
    };
  }

  view(family: Family, now: number): EngineView {
    this.#ipvs.advance(now);
    return engineView({ core: this.#core, state: this.#state, ipvs: this.#ipvs, families: this.#families }, family, now);
  }

  #servicePortId(name: string): number {
    const known = this.#servicePortIds.get(name);
    if (known !== undefined) return known;
    const id = this.#servicePortNames.push(name) - 1;
    this.#servicePortIds.set(name, id);
    this.#frames.reserveTraffic(id + 1);
    return id;
  }
}
