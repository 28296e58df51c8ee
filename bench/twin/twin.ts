// The strong TypeScript twin: what one would write by hand for exactly this workload, with typed arrays and nothing allocated a packet.
// TCP, ClusterIPs with endpoints, packets from outside; same records, same random numbers, same backends as the engines.

import { PACKET_LAYOUT, RECORD_CODES, VERDICT_LAYOUT } from 'svcplane';
import type { Processor, ProcessorBatch, ProcessorCounters } from '../processor.ts';
import type { BenchService } from '../services.ts';
import type { Workload } from '../workload.ts';
import { TwinServices } from './balancing.ts';
import { chooserOf, type EndpointChooser } from './choosers.ts';
import {
  ENTRY_EXPIRES_AT,
  ENTRY_IS_DNAT,
  ENTRY_PACKETS,
  ENTRY_SERVICE,
  ENTRY_STATE,
  ENTRY_TUPLES,
  TwinConnections,
} from './connections.ts';
import { firstState, nextState, STATE_IGNORE, STATE_INVALID, TCP_RST, TIMEOUTS_MS } from './tcp.ts';
import { TUPLES_V4, TUPLES_V6, type Tuples } from './tuples.ts';

export interface TwinOptions extends Pick<Workload, 'mode' | 'scheduler' | 'family' | 'seed'> {
  readonly services: readonly BenchService[];
  /** For how many there is room. */
  readonly flowCount: number;
  readonly nowMs: number;
  /** Stages of as many packets as the core's, so that memory latency overlaps. */
  readonly isStaged?: boolean;
}

const {
  rulesWord: VERDICT_RULES,
  portsWord: VERDICT_PORTS,
  sourceWord: VERDICT_SOURCE,
  servicePortWord: VERDICT_SERVICE_PORT,
} = VERDICT_LAYOUT.IPv4;

const GROUP = 64;

const { action, connection } = RECORD_CODES;
const INVALID = action.ACCEPT | (connection.INVALID << 8);
const NEW_DNAT = action.DNAT | (connection.NEW << 8);
const NEW_ACCEPT = action.ACCEPT | (connection.NEW << 8);
const ESTABLISHED_DNAT = action.DNAT | (connection.ESTABLISHED << 8);
const ESTABLISHED_ACCEPT = action.ACCEPT | (connection.ESTABLISHED << 8);
const REPLY = action.ACCEPT | (connection.REPLY << 8);

export class Twin implements Processor {
  readonly #isScanned: boolean;
  readonly #services: TwinServices;
  readonly #chooser: EndpointChooser;
  readonly #tuples: Tuples;
  readonly #packetWords: number;
  readonly #flagsWord: number;
  readonly #verdictWords: number;
  /** The reply tuple of a new connection. */
  readonly #reply: Int32Array;
  readonly connections: TwinConnections;
  readonly #isStaged: boolean;
  readonly #hashes = new Int32Array(GROUP);
  /** What touching read, so that nobody may leave it out. */
  #touched = 0;
  readonly #nowMs: number;
  #packets = 0;
  #newConnections = 0;
  #established = 0;

  constructor(options: TwinOptions) {
    const { mode, services, family = 'IPv4', flowCount, nowMs, isStaged = false } = options;
    this.#isStaged = isStaged;
    this.#isScanned = mode === 'iptables';
    this.#tuples = family === 'IPv4' ? TUPLES_V4 : TUPLES_V6;
    this.#packetWords = PACKET_LAYOUT[family].words;
    this.#flagsWord = PACKET_LAYOUT[family].tcpFlagsByte / 4;
    this.#verdictWords = VERDICT_LAYOUT[family].words;
    this.#reply = new Int32Array(this.#tuples.words);
    this.#services = new TwinServices(services, mode, this.#tuples);
    this.#chooser = chooserOf(options, this.#services);
    this.connections = new TwinConnections(this.#tuples, flowCount);
    this.#nowMs = nowMs;
  }

  createBatch(capacity: number): ProcessorBatch {
    const words = new Uint32Array(capacity * this.#packetWords);
    const verdictWords = new Uint32Array(capacity * this.#verdictWords);
    // Signed views: V8 keeps their numbers in 32 bits.
    const packets = new Int32Array(words.buffer);
    const verdicts = new Int32Array(verdictWords.buffer);
    const batch = { words, verdictWords, count: 0, process: () => this.#process(packets, verdicts, batch.count) };
    return batch;
  }

  counters(): ProcessorCounters {
    return {
      packets: this.#packets,
      newConnections: this.#newConnections,
      established: this.#established,
      connections: this.connections.count,
    };
  }

  #process(packets: Int32Array, verdicts: Int32Array, count: number): void {
    if (this.#isStaged) this.#processStaged(packets, verdicts, count);
    else this.#processOneByOne(packets, verdicts, count);
    this.#packets += count;
  }

  #processOneByOne(packets: Int32Array, verdicts: Int32Array, count: number): void {
    const tuples = this.#tuples;
    const packetWords = this.#packetWords;
    const verdictWords = this.#verdictWords;
    for (let index = 0; index < count; index++) {
      const packet = index * packetWords;
      this.#processPacket(tuples.hash(packets, packet), packets, packet, verdicts, index * verdictWords);
    }
  }

  #processStaged(packets: Int32Array, verdicts: Int32Array, count: number): void {
    const connections = this.connections;
    const tuples = this.#tuples;
    const packetWords = this.#packetWords;
    const verdictWords = this.#verdictWords;
    const hashes = this.#hashes;
    let touched = 0;
    for (let first = 0; first < count; first += GROUP) {
      const group = Math.min(GROUP, count - first);
      for (let index = 0; index < group; index++) hashes[index] = tuples.hash(packets, (first + index) * packetWords);
      for (let index = 0; index < group; index++) touched ^= connections.touchSlot(hashes[index] ?? 0);
      for (let index = 0; index < group; index++) touched ^= connections.touchEntry(hashes[index] ?? 0);
      for (let index = 0; index < group; index++) {
        this.#processPacket(hashes[index] ?? 0, packets, (first + index) * packetWords, verdicts, (first + index) * verdictWords);
      }
    }
    this.#touched ^= touched;
  }

  #processPacket(hash: number, packets: Int32Array, packet: number, verdicts: Int32Array, verdict: number): void {
    const flags = (packets[packet + this.#flagsWord] ?? 0) & 0xff;
    const connections = this.connections;
    const reference = connections.findHashed(hash, packets, packet);
    if (reference >= 0) {
      const at = (reference >>> 1) * connections.entryWords;
      if ((connections.expiresAt[at / 2 + ENTRY_EXPIRES_AT] ?? 0) > this.#nowMs) {
        this.#processKnown(reference, flags, packets, packet, verdicts, verdict);
        return;
      }
      connections.remove(reference >>> 1);
    }
    const state = firstState(flags);
    if (state === STATE_INVALID) this.#writeAsItIs(packets, packet, verdicts, verdict);
    else this.#processNew(state, packets, packet, verdicts, verdict);
  }

  #processKnown(reference: number, flags: number, packets: Int32Array, packet: number, verdicts: Int32Array, verdict: number): void {
    const connections = this.connections;
    const words = connections.words;
    const isReply = reference & 1;
    const at = (reference >>> 1) * connections.entryWords;
    const next = nextState(isReply, flags, words[at + ENTRY_STATE] ?? 0);
    if (next === STATE_INVALID) {
      this.#writeAsItIs(packets, packet, verdicts, verdict);
      return;
    }
    if (next !== STATE_IGNORE) {
      words[at + ENTRY_STATE] = next;
      connections.expiresAt[at / 2 + ENTRY_EXPIRES_AT] = this.#nowMs + (TIMEOUTS_MS[next] ?? 0);
    }
    words[at + ENTRY_PACKETS + isReply] = (words[at + ENTRY_PACKETS + isReply] ?? 0) + 1;
    const outcome = isReply !== 0 ? REPLY : words[at + ENTRY_IS_DNAT] !== 0 ? ESTABLISHED_DNAT : ESTABLISHED_ACCEPT;
    this.#writeTurned(words, at + ENTRY_TUPLES + (1 - isReply) * this.#tuples.words, verdicts, verdict, outcome, 0);
    if (isReply === 0) this.#established++;
    if ((flags & TCP_RST) !== 0 && words[at + ENTRY_PACKETS + 1] === 0) connections.remove(reference >>> 1);
  }

  #processNew(state: number, packets: Int32Array, packet: number, verdicts: Int32Array, verdict: number): void {
    const services = this.#services;
    const connections = this.connections;
    const service = this.#isScanned ? services.scan(packets, packet) : services.lookup(packets, packet);
    const { addressWords } = this.#tuples;
    const ports = packets[packet + 2 * addressWords] ?? 0;
    const reply = this.#reply;
    if (service >= 0) {
      const endpoint = this.#chooser.choose(service, packets, packet);
      for (let word = 0; word < addressWords; word++) reply[word] = services.backends[endpoint * addressWords + word] ?? 0;
      reply[2 * addressWords] = (services.backendPorts[endpoint] ?? 0) | (ports << 16);
    } else {
      for (let word = 0; word < addressWords; word++) reply[word] = packets[packet + addressWords + word] ?? 0;
      reply[2 * addressWords] = (ports >>> 16) | (ports << 16);
    }
    for (let word = 0; word < addressWords; word++) reply[addressWords + word] = packets[packet + word] ?? 0;
    if (connections.find(reply, 0) >= 0) throw new Error('two flows of a workload share their reply tuple');
    const at = connections.insert(packets, packet, reply);
    connections.words[at + ENTRY_STATE] = state;
    connections.words[at + ENTRY_IS_DNAT] = service >= 0 ? 1 : 0;
    connections.words[at + ENTRY_SERVICE] = service;
    connections.expiresAt[at / 2 + ENTRY_EXPIRES_AT] = this.#nowMs + (TIMEOUTS_MS[state] ?? 0);
    this.#newConnections++;
    const rules = !this.#isScanned ? 0 : service >= 0 ? service + 1 : services.count;
    this.#writeTurned(reply, 0, verdicts, verdict, service >= 0 ? NEW_DNAT : NEW_ACCEPT, rules);
  }

  /** A tuple of the other direction, turned round. */
  #writeTurned(tuple: Int32Array, at: number, verdicts: Int32Array, verdict: number, outcome: number, rules: number): void {
    const { addressWords } = this.#tuples;
    const ports = tuple[at + 2 * addressWords] ?? 0;
    writeOutcome(verdicts, verdict, outcome, rules, (ports << 16) | (ports >>> 16));
    for (let word = 0; word < addressWords; word++) {
      verdicts[verdict + VERDICT_SOURCE + word] = tuple[at + addressWords + word] ?? 0;
      verdicts[verdict + VERDICT_SOURCE + addressWords + word] = tuple[at + word] ?? 0;
    }
  }

  #writeAsItIs(packets: Int32Array, packet: number, verdicts: Int32Array, verdict: number): void {
    const { addressWords } = this.#tuples;
    writeOutcome(verdicts, verdict, INVALID, 0, packets[packet + 2 * addressWords] ?? 0);
    for (let word = 0; word < 2 * addressWords; word++) verdicts[verdict + VERDICT_SOURCE + word] = packets[packet + word] ?? 0;
  }
}

function writeOutcome(verdicts: Int32Array, at: number, outcome: number, rules: number, ports: number): void {
  verdicts[at] = outcome;
  verdicts[at + VERDICT_SERVICE_PORT] = 0;
  verdicts[at + VERDICT_RULES] = rules;
  verdicts[at + VERDICT_PORTS] = ports;
}
