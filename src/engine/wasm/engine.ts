// The WebAssembly engine: owns one core and its memory, puts Programs in force, hands batches over.
import {
  ADDRESS_V4,
  ADDRESS_V6,
  COUNTER_ACCEPT,
  COUNTER_CHAIN_TOO_DEEP,
  COUNTER_CONNTRACK_FULL,
  COUNTER_DNAT,
  COUNTER_DROP,
  COUNTER_EARLY_DROP,
  COUNTER_ESTABLISHED,
  COUNTER_INSERT_FAILED,
  COUNTER_INVALID,
  COUNTER_NEW,
  COUNTER_PACKETS,
  COUNTER_REJECT,
  COUNTER_REPLY,
  COUNTER_UNTRACKED,
  INTERFACE_SIZE,
  PACKET_SIZE_V4,
  PACKET_SIZE_V6,
  RECENT_ADDRESS,
  RECENT_COUNT,
  RECENT_ENTRIES,
  RECENT_LAST_SEEN,
  RECENT_LIST_MAX,
  ROOM_FREE,
  STATE_CONNTRACK_MAX,
  STATE_COUNTERS,
  STATE_INTERFACES,
  STATE_RANDOM,
  STATE_ROOT_V4,
  STATE_ROOT_V6,
  STATE_TCP_LOOSE,
  STATE_TIMEOUTS,
  TIMEOUT_SCTP,
  TIMEOUT_TCP_UNACKNOWLEDGED,
  TIMEOUT_UDP,
  TIMEOUT_UDP_STREAM,
  VERDICT_SIZE_V4,
  VERDICT_SIZE_V6,
} from '../../../assembly/shared/layout.ts';
import { nextRandom, seedRandom } from '../../../assembly/shared/random.ts';
import type { Family } from '../../address.ts';
import { CapacityError, InvalidArgumentError } from '../../errors.ts';
import type { TransportProtocol } from '../../packet.ts';
import type { Program } from '../../program/program.ts';
import type {
  ConntrackTimeouts,
  Engine,
  EngineBatch,
  EngineCounters,
  EngineMemory,
  EngineOptions,
  EngineView,
  Room,
  TrackedConnection,
  TupleText,
} from '../engine.ts';
import type { EngineFrameRing, FrameCounters, RingShape, ServicePortTraffic } from '../frame-ring.ts';
import { ConnectionTable } from './connections.ts';
import type { Core } from './core.ts';
import { WasmFrames } from './frames.ts';
import { LinearMemory } from './memory.ts';
import { Sightings } from './sightings.ts';
import { ProgramTables } from './tables.ts';
import { addressWords } from './wire.ts';

/** nf_conntrack has no sysctl for it. */
const TCP_SYN_SENT2_SECONDS = 120;
/** Packets between two looks at the room for new sightings. */
const CHUNK = 4096;
/** Numbers of interface names in a packet record: 16 bits would allow more than any node has. */
const INTERFACES_MAX = 1024;

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];

export class WasmEngine implements Engine {
  readonly kind = 'wasm';
  readonly #core: Core;
  readonly #memory: LinearMemory;
  readonly #conntrackMax: number;
  readonly #servicePortIds = new Map<string, number>();
  readonly #servicePortNames: string[] = [''];
  readonly #interfaceIds = new Map<string, number>([['', 0]]);
  readonly #recentLists = new Map<string, number>();
  readonly #programs = new Map<Family, ProgramTables>();
  readonly #tables = new Map<Family, ConnectionTable>();
  readonly #sightings = new Map<Family, Sightings>();
  readonly #frames: WasmFrames;

  constructor(core: Core, options: EngineOptions) {
    this.#core = core;
    this.#memory = new LinearMemory(core.memory, core.heapBase);
    this.#conntrackMax = options.conntrackMax;
    this.#frames = new WasmFrames(core, this.#memory);
    const seed = seedRandom(options.seed);
    core.seedHash(nextRandom(nextRandom(seed)), nextRandom(seed));
    this.#setState(STATE_INTERFACES, this.#memory.allocate(INTERFACES_MAX * INTERFACE_SIZE));
    this.interfaceId('lo'); // INTERFACE_LOOPBACK: the first name
    this.#setState(STATE_RANDOM, seed);
    this.#setState(STATE_CONNTRACK_MAX, options.conntrackMax);
    this.#setState(STATE_TCP_LOOSE, options.tcpLoose ? 1 : 0);
    timeoutsInOrder(options.timeouts).forEach((seconds, which) => {
      this.#setState(STATE_TIMEOUTS + which * 4, Math.round(seconds * 1000));
    });
  }

  load(program: Program): void {
    this.#programOf(program.family).load(program);
    this.#table(program.family);
  }

  #programOf(family: Family): ProgramTables {
    const known = this.#programs.get(family);
    if (known !== undefined) return known;
    const context = {
      servicePortId: (name: string) => this.#servicePortId(name),
      recentList: (name: string) => this.#recentList(family, name),
      sightingSet: (name: string, seconds: number) => this.#sightingsOf(family).setNumber(name, seconds),
      forgetList: (name: string) => this.#forgetList(family, name),
    };
    const tables = new ProgramTables(family, this.#memory, context, (root) => {
      this.#setState(family === 'IPv4' ? STATE_ROOT_V4 : STATE_ROOT_V6, root);
    });
    this.#programs.set(family, tables);
    return tables;
  }

  /** The kernel drops an xt_recent list with the last rule that names it. */
  #forgetList(family: Family, name: string): void {
    this.#sightingsOf(family).forgetSet(name);
    const key = `${family} ${name}`;
    const list = this.#recentLists.get(key);
    if (list === undefined) return;
    this.#recentLists.delete(key);
    this.#memory.release(list, recentListSize(family));
  }

  createBatch(family: Family, capacity: number): EngineBatch {
    const packetBytes = capacity * (family === 'IPv4' ? PACKET_SIZE_V4 : PACKET_SIZE_V6);
    const verdictBytes = capacity * (family === 'IPv4' ? VERDICT_SIZE_V4 : VERDICT_SIZE_V6);
    return new WasmBatch(this.#memory, family, capacity, packetBytes, verdictBytes);
  }

  processBatch(batch: EngineBatch, count: number, now: number): void {
    if (!(batch instanceof WasmBatch)) throw new InvalidArgumentError('batch', batch.constructor.name, 'was not made by this engine');
    const sightings = this.#sightingsOf(batch.family);
    const packetSize = batch.family === 'IPv4' ? PACKET_SIZE_V4 : PACKET_SIZE_V6;
    const verdictSize = batch.family === 'IPv4' ? VERDICT_SIZE_V4 : VERDICT_SIZE_V6;
    for (let first = 0; first < count; first += CHUNK) {
      const length = Math.min(CHUNK, count - first);
      sightings.reserve(length);
      this.#core.process(batch.family, batch.packets + first * packetSize, batch.verdicts + first * verdictSize, length, now);
    }
  }

  createFrameRing(shape: RingShape, transmit?: EngineFrameRing): EngineFrameRing {
    return this.#frames.createRing(shape, transmit);
  }

  processFrames(ring: EngineFrameRing, now: number): void {
    const { count } = ring;
    for (let first = 0; first < count; first += CHUNK) {
      const length = Math.min(CHUNK, count - first);
      for (const family of FAMILIES) this.#sightingsOf(family).reserve(length);
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
    this.#memory.bytes.set(bytes, this.#getState(STATE_INTERFACES) + id * INTERFACE_SIZE);
    this.#interfaceIds.set(name, id);
    return id;
  }

  servicePortName(id: number): string | undefined {
    return id === 0 ? undefined : this.#servicePortNames[id];
  }

  *connections(now: number): IterableIterator<TrackedConnection> {
    for (const table of this.#tables.values()) for (const entry of table.live(now)) yield table.read(entry, now);
  }

  deleteConnections(now: number, shouldDelete: (connection: TrackedConnection) => boolean): number {
    let deleted = 0;
    for (const table of this.#tables.values()) {
      for (const entry of table.live(now)) {
        if (!shouldDelete(table.read(entry, now))) continue;
        table.remove(entry);
        deleted++;
      }
    }
    return deleted;
  }

  /** Walks all tables and verifies their invariants, for tests. @throws CoreError */
  checkTables(): void {
    for (const program of this.#programs.values()) program.check();
    for (const table of this.#tables.values()) table.check();
  }

  counters(now: number): EngineCounters {
    const read = (which: number): number =>
      Number(this.#memory.data.getBigUint64(this.#core.stateAddress + STATE_COUNTERS + which * 8, true));
    return {
      packets: read(COUNTER_PACKETS),
      newConnections: read(COUNTER_NEW),
      established: read(COUNTER_ESTABLISHED),
      replies: read(COUNTER_REPLY),
      invalid: read(COUNTER_INVALID),
      untracked: read(COUNTER_UNTRACKED),
      accepted: read(COUNTER_ACCEPT),
      dnat: read(COUNTER_DNAT),
      dropped: read(COUNTER_DROP),
      rejected: read(COUNTER_REJECT),
      conntrackFull: read(COUNTER_CONNTRACK_FULL),
      earlyDropped: read(COUNTER_EARLY_DROP),
      insertFailed: read(COUNTER_INSERT_FAILED),
      chainTooDeep: read(COUNTER_CHAIN_TOO_DEEP),
      connections: this.#core.connections(now),
      memory: this.#usedMemory(),
    };
  }

  #usedMemory(): EngineMemory {
    const tables = [...this.#programs.values()];
    const connections = [...this.#tables.values()];
    return {
      tables: tables.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
      rules: tables.reduce((sum, { ruleCount }) => sum + ruleCount, 0),
      connections: connections.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
      reserved: this.#memory.used,
    };
  }

  view(family: Family, now: number): EngineView {
    return {
      randomState: this.#getState(STATE_RANDOM),
      roomFor: (protocol, tuple) => this.#roomFor(family, protocol, tuple, now),
      findConnection: (protocol, tuple) => this.#table(family).find(protocol, tuple, now),
      recentSighting: (list, source) => this.#recentSighting(family, list, source) ?? this.#sightingsOf(family).lastSeen(list, source),
      foreseeIpvs: () => ({ kind: 'leave' }),
      realServers: () => undefined,
    };
  }

  [Symbol.dispose](): void {
    // The core's memory goes with the engine: nothing else holds it.
    this.#tables.clear();
    this.#programs.clear();
  }

  #roomFor(family: Family, protocol: TransportProtocol, tuple: TupleText, now: number): Room | undefined {
    const table = this.#table(family);
    // An expired holder of the tuple is gone before room is made.
    const entry = table.holdsExpired(protocol, tuple, now) ? ROOM_FREE : this.#core.foreseeRoom(family, now);
    if (entry === 0) return undefined;
    const owner = FAMILIES.find((each) => this.#table(each).holds(entry));
    return owner === undefined ? {} : { evicted: this.#table(owner).read(entry, now) };
  }

  #table(family: Family): ConnectionTable {
    const known = this.#tables.get(family);
    if (known !== undefined) return known;
    const table = new ConnectionTable(this.#core, this.#memory, family, this.#conntrackMax, (id) => this.servicePortName(id));
    this.#tables.set(family, table);
    return table;
  }

  #sightingsOf(family: Family): Sightings {
    const known = this.#sightings.get(family);
    if (known !== undefined) return known;
    const sightings = new Sightings(this.#core, this.#memory, family);
    this.#sightings.set(family, sightings);
    return sightings;
  }

  #servicePortId(name: string): number {
    const known = this.#servicePortIds.get(name);
    if (known !== undefined) return known;
    this.#servicePortIds.set(name, this.#servicePortNames.length);
    return this.#servicePortNames.push(name) - 1;
  }

  #recentList(family: Family, name: string): number {
    const key = `${family} ${name}`;
    const known = this.#recentLists.get(key);
    if (known !== undefined) return known;
    const address = this.#memory.allocate(recentListSize(family));
    this.#recentLists.set(key, address);
    return address;
  }

  #recentSighting(family: Family, name: string, source: string): number | undefined {
    const list = this.#recentLists.get(`${family} ${name}`);
    if (list === undefined) return undefined;
    const wanted = addressWords(source);
    const { data } = this.#memory;
    const count = data.getUint32(list + RECENT_COUNT, true);
    for (let index = 0; index < count; index++) {
      const entry = list + RECENT_ENTRIES + index * recentEntrySize(family);
      const isSame = wanted.every((word, part) => data.getUint32(entry + RECENT_ADDRESS + part * 4, true) === word);
      if (isSame) return data.getFloat64(entry + RECENT_LAST_SEEN, true);
    }
    return undefined;
  }

  #getState(field: number): number {
    return this.#memory.words[(this.#core.stateAddress + field) / 4] ?? 0;
  }

  #setState(field: number, value: number): void {
    this.#memory.words[(this.#core.stateAddress + field) / 4] = value;
  }
}

class WasmBatch implements EngineBatch {
  readonly family: Family;
  readonly capacity: number;
  readonly packets: number;
  readonly verdicts: number;
  readonly #memory: LinearMemory;
  readonly #packetBytes: number;
  readonly #verdictBytes: number;
  #packetWords: Uint32Array;
  #verdictWords: Uint32Array;

  constructor(memory: LinearMemory, family: Family, capacity: number, packetBytes: number, verdictBytes: number) {
    this.#memory = memory;
    this.family = family;
    this.capacity = capacity;
    this.#packetBytes = packetBytes;
    this.#verdictBytes = verdictBytes;
    this.packets = memory.allocate(packetBytes);
    this.verdicts = memory.allocate(verdictBytes);
    this.#packetWords = this.#viewOf(this.packets, packetBytes);
    this.#verdictWords = this.#viewOf(this.verdicts, verdictBytes);
  }

  packetWords(): Uint32Array {
    if (this.#packetWords.buffer !== this.#memory.words.buffer) this.#packetWords = this.#viewOf(this.packets, this.#packetBytes);
    return this.#packetWords;
  }

  verdictWords(): Uint32Array {
    if (this.#verdictWords.buffer !== this.#memory.words.buffer) this.#verdictWords = this.#viewOf(this.verdicts, this.#verdictBytes);
    return this.#verdictWords;
  }

  free(): void {
    this.#memory.release(this.packets, this.#packetBytes);
    this.#memory.release(this.verdicts, this.#verdictBytes);
  }

  #viewOf(address: number, size: number): Uint32Array {
    return new Uint32Array(this.#memory.words.buffer, address, size / 4);
  }
}

/** Seconds in the order of the layout's TIMEOUT_*. */
function timeoutsInOrder(timeouts: ConntrackTimeouts): number[] {
  const seconds = [
    0, // NONE never holds a connection
    timeouts.tcpSynSent,
    timeouts.tcpSynRecv,
    timeouts.tcpEstablished,
    timeouts.tcpFinWait,
    timeouts.tcpCloseWait,
    timeouts.tcpLastAck,
    timeouts.tcpTimeWait,
    timeouts.tcpClose,
    TCP_SYN_SENT2_SECONDS,
  ];
  seconds[TIMEOUT_TCP_UNACKNOWLEDGED] = timeouts.tcpUnacknowledged;
  seconds[TIMEOUT_UDP] = timeouts.udp;
  seconds[TIMEOUT_UDP_STREAM] = timeouts.udpStream;
  const sctp = [
    0, // NONE, as above
    timeouts.sctpClosed,
    timeouts.sctpCookieWait,
    timeouts.sctpCookieEchoed,
    timeouts.sctpEstablished,
    timeouts.sctpShutdownSent,
    timeouts.sctpShutdownRecd,
    timeouts.sctpShutdownAckSent,
    timeouts.sctpHeartbeatSent,
  ];
  sctp.forEach((timeout, state) => {
    seconds[TIMEOUT_SCTP + state] = timeout;
  });
  return seconds;
}

function recentListSize(family: Family): number {
  return RECENT_ENTRIES + RECENT_LIST_MAX * recentEntrySize(family);
}

function recentEntrySize(family: Family): number {
  return RECENT_ADDRESS + Math.max(8, family === 'IPv4' ? ADDRESS_V4 : ADDRESS_V6);
}
