// The strong TypeScript twin: what one would write by hand for exactly this workload, with typed arrays and nothing allocated a packet.
// IPv4, TCP, ClusterIPs with endpoints, packets from outside; same records, same random numbers, same backends as the engines.

import { PACKET_LAYOUT, RECORD_CODES, VERDICT_LAYOUT } from 'svcplane';
import { nextRandom, seedRandom } from '../../assembly/shared/random.ts';
import type { Processor, ProcessorBatch, ProcessorCounters } from '../processor.ts';
import type { BenchService } from '../workload.ts';
import { TwinServices } from './balancing.ts';
import {
  ENTRY_EXPIRES_AT,
  ENTRY_IS_DNAT,
  ENTRY_ORIGINAL,
  ENTRY_PACKETS,
  ENTRY_REPLY,
  ENTRY_SERVICE,
  ENTRY_STATE,
  ENTRY_WORDS,
  hashTuple,
  TwinConnections,
} from './connections.ts';
import { firstState, nextState, STATE_IGNORE, STATE_INVALID, TCP_RST, TIMEOUTS_MS } from './tcp.ts';

export interface TwinOptions {
  readonly mode: 'iptables' | 'ipvs';
  readonly services: readonly BenchService[];
  readonly seed: number;
  readonly flowCount: number;
  readonly nowMs: number;
  /** Stages of as many packets as the core's, so that memory latency overlaps. */
  readonly isStaged?: boolean;
}

const { words: PACKET_WORDS, sourceWord: PACKET_SOURCE, destinationWord: PACKET_DESTINATION, portsWord: PACKET_PORTS } = PACKET_LAYOUT.IPv4;
const PACKET_FLAGS = PACKET_LAYOUT.IPv4.tcpFlagsByte / 4;
const {
  words: VERDICT_WORDS,
  servicePortWord: VERDICT_SERVICE_PORT,
  rulesWord: VERDICT_RULES,
  portsWord: VERDICT_PORTS,
  sourceWord: VERDICT_SOURCE,
  destinationWord: VERDICT_DESTINATION,
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
  readonly connections: TwinConnections;
  readonly #isStaged: boolean;
  readonly #hashes = new Int32Array(GROUP);
  /** What touching read, so that nobody may leave it out. */
  #touched = 0;
  readonly #nowMs: number;
  #random: number;
  #packets = 0;
  #newConnections = 0;
  #established = 0;

  constructor({ mode, services, seed, flowCount, nowMs, isStaged = false }: TwinOptions) {
    this.#isStaged = isStaged;
    this.#isScanned = mode === 'iptables';
    this.#services = new TwinServices(services, mode);
    this.connections = new TwinConnections(flowCount);
    this.#nowMs = nowMs;
    this.#random = seedRandom(seed);
  }

  createBatch(capacity: number): ProcessorBatch {
    const words = new Uint32Array(capacity * PACKET_WORDS);
    const verdictWords = new Uint32Array(capacity * VERDICT_WORDS);
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
    for (let index = 0; index < count; index++) {
      const packet = index * PACKET_WORDS;
      this.#processPacket(hashAt(packets, packet), packets, packet, verdicts, index * VERDICT_WORDS);
    }
  }

  #processStaged(packets: Int32Array, verdicts: Int32Array, count: number): void {
    const connections = this.connections;
    const hashes = this.#hashes;
    let touched = 0;
    for (let first = 0; first < count; first += GROUP) {
      const group = Math.min(GROUP, count - first);
      for (let index = 0; index < group; index++) hashes[index] = hashAt(packets, (first + index) * PACKET_WORDS);
      for (let index = 0; index < group; index++) touched ^= connections.touchSlot(hashes[index] ?? 0);
      for (let index = 0; index < group; index++) touched ^= connections.touchEntry(hashes[index] ?? 0);
      for (let index = 0; index < group; index++) {
        this.#processPacket(hashes[index] ?? 0, packets, (first + index) * PACKET_WORDS, verdicts, (first + index) * VERDICT_WORDS);
      }
    }
    this.#touched ^= touched;
  }

  #processPacket(hash: number, packets: Int32Array, packet: number, verdicts: Int32Array, verdict: number): void {
    const source = packets[packet + PACKET_SOURCE] ?? 0;
    const destination = packets[packet + PACKET_DESTINATION] ?? 0;
    const ports = packets[packet + PACKET_PORTS] ?? 0;
    const flags = (packets[packet + PACKET_FLAGS] ?? 0) & 0xff;
    const connections = this.connections;
    const reference = connections.findHashed(hash, source, destination, ports);
    if (reference >= 0) {
      if ((connections.expiresAt[(reference >>> 1) * (ENTRY_WORDS / 2) + ENTRY_EXPIRES_AT] ?? 0) > this.#nowMs) {
        this.#processKnown(reference, flags, packets, packet, verdicts, verdict);
        return;
      }
      connections.remove(reference >>> 1);
    }
    const state = firstState(flags);
    if (state === STATE_INVALID) write(verdicts, verdict, INVALID, 0, ports, source, destination);
    else this.#processNew(state, source, destination, ports, verdicts, verdict);
  }

  #processKnown(reference: number, flags: number, packets: Int32Array, packet: number, verdicts: Int32Array, verdict: number): void {
    const connections = this.connections;
    const words = connections.words;
    const isReply = reference & 1;
    const at = (reference >>> 1) * ENTRY_WORDS;
    const next = nextState(isReply, flags, words[at + ENTRY_STATE] ?? 0);
    if (next === STATE_INVALID) {
      const source = packets[packet + PACKET_SOURCE] ?? 0;
      write(verdicts, verdict, INVALID, 0, packets[packet + PACKET_PORTS] ?? 0, source, packets[packet + PACKET_DESTINATION] ?? 0);
      return;
    }
    if (next !== STATE_IGNORE) {
      words[at + ENTRY_STATE] = next;
      connections.expiresAt[at / 2 + ENTRY_EXPIRES_AT] = this.#nowMs + (TIMEOUTS_MS[next] ?? 0);
    }
    words[at + ENTRY_PACKETS + isReply] = (words[at + ENTRY_PACKETS + isReply] ?? 0) + 1;
    const other = at + (isReply === 0 ? ENTRY_REPLY : ENTRY_ORIGINAL);
    const otherPorts = words[other + 2] ?? 0;
    const outcome = isReply !== 0 ? REPLY : words[at + ENTRY_IS_DNAT] !== 0 ? ESTABLISHED_DNAT : ESTABLISHED_ACCEPT;
    write(verdicts, verdict, outcome, 0, (otherPorts << 16) | (otherPorts >>> 16), words[other + 1] ?? 0, words[other] ?? 0);
    if (isReply === 0) this.#established++;
    if ((flags & TCP_RST) !== 0 && words[at + ENTRY_PACKETS + 1] === 0) connections.remove(reference >>> 1);
  }

  #processNew(state: number, source: number, destination: number, ports: number, verdicts: Int32Array, verdict: number): void {
    const services = this.#services;
    const connections = this.connections;
    const port = ports >>> 16;
    const service = this.#isScanned ? services.scan(destination, port) : services.lookup(destination, port);
    let backend = destination;
    let backendPort = port;
    if (service >= 0) {
      const endpoint = this.#isScanned ? this.#drawEndpoint(service) : this.#nextEndpoint(service);
      backend = services.backends[endpoint] ?? 0;
      backendPort = services.backendPorts[endpoint] ?? 0;
    }
    const sourcePort = ports & 0xffff;
    const replyPorts = backendPort | (sourcePort << 16);
    if (connections.find(backend, source, replyPorts) >= 0) throw new Error('two flows of a workload share their reply tuple');
    const at = connections.insert(source, destination, ports, backend, replyPorts);
    connections.words[at + ENTRY_STATE] = state;
    connections.words[at + ENTRY_IS_DNAT] = service >= 0 ? 1 : 0;
    connections.words[at + ENTRY_SERVICE] = service;
    connections.expiresAt[at / 2 + ENTRY_EXPIRES_AT] = this.#nowMs + (TIMEOUTS_MS[state] ?? 0);
    this.#newConnections++;
    const rules = !this.#isScanned ? 0 : service >= 0 ? service + 1 : services.count;
    write(verdicts, verdict, service >= 0 ? NEW_DNAT : NEW_ACCEPT, rules, sourcePort | (backendPort << 16), source, backend);
  }

  /** iptables: one random rule an endpoint, the last one plain. */
  #drawEndpoint(service: number): number {
    const { thresholds, endpointsFrom, endpointCounts } = this.#services;
    let endpoint = endpointsFrom[service] ?? 0;
    const last = endpoint + (endpointCounts[service] ?? 0) - 1;
    let random = this.#random;
    while (endpoint < last) {
      random = nextRandom(random);
      if ((random & 0x7fffffff) < (thresholds[endpoint] ?? 0)) break;
      endpoint++;
    }
    this.#random = random;
    return endpoint;
  }

  /** IPVS: one after the other. */
  #nextEndpoint(service: number): number {
    const { turns, endpointsFrom, endpointCounts } = this.#services;
    const turn = turns[service] ?? 0;
    turns[service] = turn + 1 === endpointCounts[service] ? 0 : turn + 1;
    return (endpointsFrom[service] ?? 0) + turn;
  }
}

function hashAt(packets: Int32Array, packet: number): number {
  return hashTuple(packets[packet + PACKET_SOURCE] ?? 0, packets[packet + PACKET_DESTINATION] ?? 0, packets[packet + PACKET_PORTS] ?? 0);
}

function write(verdicts: Int32Array, at: number, outcome: number, rules: number, ports: number, source: number, destination: number): void {
  verdicts[at] = outcome;
  verdicts[at + VERDICT_SERVICE_PORT] = 0;
  verdicts[at + VERDICT_RULES] = rules;
  verdicts[at + VERDICT_PORTS] = ports;
  verdicts[at + VERDICT_SOURCE] = source;
  verdicts[at + VERDICT_DESTINATION] = destination;
}
