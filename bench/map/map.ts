// Idiomatic TypeScript: what one writes who thinks of no cache line. A Map of objects by text keys, a new object for each packet.
// Same records in and out, same choices as the engines.

import { PACKET_LAYOUT, RECORD_CODES, VERDICT_LAYOUT } from 'svcplane';
import { nextRandom, seedRandom } from '../../assembly/shared/random.ts';
import { swapBytes } from '../../src/engine/packet-record.ts';
import { firstTcpState, nextTcpState, type TcpState, tcpPacketKind } from '../../src/program/tcp-states.ts';
import type { Processor, ProcessorBatch, ProcessorCounters } from '../processor.ts';
import type { BenchService } from '../services.ts';
import type { TwinOptions } from '../twin/twin.ts';

interface Tuple {
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
}

interface Connection {
  readonly original: Tuple;
  readonly reply: Tuple;
  readonly isDnat: boolean;
  state: TcpState;
  expiresAt: number;
  packets: number;
  replies: number;
}

interface Outcome {
  readonly action: number;
  readonly connection: number;
  readonly rules: number;
  readonly translated: Tuple;
}

const PACKET = PACKET_LAYOUT.IPv4;
const VERDICT = VERDICT_LAYOUT.IPv4;
const { action, connection: states } = RECORD_CODES;
const TCP_RST = 4;

const TIMEOUTS: Readonly<Record<string, number>> = {
  SYN_SENT: 120,
  SYN_RECV: 60,
  ESTABLISHED: 86_400,
  FIN_WAIT: 120,
  CLOSE_WAIT: 3600,
  LAST_ACK: 30,
  TIME_WAIT: 120,
  CLOSE: 10,
  SYN_SENT2: 120,
};

export class MapDataplane implements Processor {
  readonly #options: TwinOptions;
  readonly #services: readonly { readonly service: BenchService; readonly endpoints: BenchService['endpoints'] }[];
  readonly #byAddress: ReadonlyMap<string, number>;
  readonly #turns: number[];
  readonly #connections = new Map<string, { readonly connection: Connection; readonly isReply: boolean }>();
  #random: number;
  #counters = { packets: 0, newConnections: 0, established: 0, connections: 0 };

  constructor(options: TwinOptions) {
    this.#options = options;
    // IPVS walks its servers newest first
    this.#services = options.services.map((service) => ({
      service,
      endpoints: options.mode === 'ipvs' ? service.endpoints.toReversed() : service.endpoints,
    }));
    this.#byAddress = new Map(options.services.map(({ address, port }, index) => [`${address}:${port}`, index]));
    this.#turns = options.services.map(() => 0);
    this.#random = seedRandom(options.seed);
  }

  createBatch(capacity: number): ProcessorBatch {
    const words = new Uint32Array(capacity * PACKET.words);
    const verdictWords = new Uint32Array(capacity * VERDICT.words);
    const batch = {
      words,
      verdictWords,
      count: 0,
      process: () => {
        for (let index = 0; index < batch.count; index++) {
          const { tuple, flags } = readPacket(words, index);
          writeOutcome(verdictWords, index, this.#process(tuple, flags));
        }
      },
    };
    return batch;
  }

  counters(): ProcessorCounters {
    return { ...this.#counters, connections: this.#connections.size / 2 };
  }

  #process(tuple: Tuple, flags: number): Outcome {
    this.#counters.packets++;
    const found = this.#connections.get(keyOf(tuple));
    if (found !== undefined && found.connection.expiresAt > this.#options.nowMs)
      return this.#processKnown(found.connection, found.isReply, tuple, flags);
    if (found !== undefined) this.#remove(found.connection);
    const first = firstTcpState(tcpPacketKind(flags), true);
    if (first === 'INVALID') return invalid(tuple);
    return this.#processNew(tuple, first);
  }

  #processKnown(connection: Connection, isReply: boolean, tuple: Tuple, flags: number): Outcome {
    const next = nextTcpState(isReply ? 'reply' : 'original', tcpPacketKind(flags), connection.state);
    if (next === 'INVALID') return invalid(tuple);
    if (next !== 'IGNORE') {
      connection.state = next;
      connection.expiresAt = this.#options.nowMs + (TIMEOUTS[next] ?? 0) * 1000;
    }
    if (isReply) connection.replies++;
    else {
      connection.packets++;
      this.#counters.established++;
    }
    const translated = turned(isReply ? connection.original : connection.reply);
    if ((flags & TCP_RST) !== 0 && connection.replies === 0) this.#remove(connection);
    if (isReply) return { action: action.ACCEPT, connection: states.REPLY, rules: 0, translated };
    return { action: connection.isDnat ? action.DNAT : action.ACCEPT, connection: states.ESTABLISHED, rules: 0, translated };
  }

  #processNew(tuple: Tuple, state: TcpState): Outcome {
    const index = this.#findService(tuple);
    const endpoint = index < 0 ? undefined : this.#chooseEndpoint(index);
    const reply = {
      source: endpoint?.address ?? tuple.destination,
      sourcePort: endpoint?.port ?? tuple.destinationPort,
      destination: tuple.source,
      destinationPort: tuple.sourcePort,
    };
    const isDnat = endpoint !== undefined;
    const connection = {
      original: tuple,
      reply,
      isDnat,
      state,
      expiresAt: this.#options.nowMs + (TIMEOUTS[state] ?? 0) * 1000,
      packets: 1,
      replies: 0,
    };
    this.#connections.set(keyOf(tuple), { connection, isReply: false });
    this.#connections.set(keyOf(reply), { connection, isReply: true });
    this.#counters.newConnections++;
    return { action: isDnat ? action.DNAT : action.ACCEPT, connection: states.NEW, rules: 0, translated: turned(reply) };
  }

  #findService({ destination, destinationPort }: Tuple): number {
    if (this.#options.mode !== 'iptables') return this.#byAddress.get(`${destination}:${destinationPort}`) ?? -1;
    return this.#services.findIndex(({ service }) => service.address === destination && service.port === destinationPort);
  }

  #chooseEndpoint(index: number): BenchService['endpoints'][number] | undefined {
    const endpoints = this.#services[index]?.endpoints ?? [];
    if (this.#options.mode === 'ipvs') {
      const turn = this.#turns[index] ?? 0;
      this.#turns[index] = (turn + 1) % endpoints.length;
      return endpoints[turn];
    }
    if (this.#options.mode === 'nftables') {
      this.#random = nextRandom(this.#random);
      return endpoints[Math.floor((this.#random * endpoints.length) / 0x1_0000_0000)];
    }
    return endpoints.find((_, position) => {
      const left = endpoints.length - position;
      if (left === 1) return true;
      this.#random = nextRandom(this.#random);
      return (this.#random & 0x7fffffff) < Math.round(Number((1 / left).toFixed(10)) * 0x80000000);
    });
  }

  #remove({ original, reply }: Connection): void {
    this.#connections.delete(keyOf(original));
    this.#connections.delete(keyOf(reply));
  }
}

function keyOf({ source, sourcePort, destination, destinationPort }: Tuple): string {
  return `${source}:${sourcePort}>${destination}:${destinationPort}`;
}

function turned({ source, sourcePort, destination, destinationPort }: Tuple): Tuple {
  return { source: destination, sourcePort: destinationPort, destination: source, destinationPort: sourcePort };
}

function invalid(tuple: Tuple): Outcome {
  return { action: action.ACCEPT, connection: states.INVALID, rules: 0, translated: tuple };
}

function readPacket(words: Uint32Array, index: number): { readonly tuple: Tuple; readonly flags: number } {
  const at = index * PACKET.words;
  const ports = swapBytes(words[at + PACKET.portsWord] ?? 0);
  const tuple = {
    source: swapBytes(words[at + PACKET.sourceWord] ?? 0),
    sourcePort: ports >>> 16,
    destination: swapBytes(words[at + PACKET.destinationWord] ?? 0),
    destinationPort: ports & 0xffff,
  };
  return { tuple, flags: (words[at + PACKET.tcpFlagsByte / 4] ?? 0) & 0xff };
}

function writeOutcome(words: Uint32Array, index: number, { action: code, connection, rules, translated }: Outcome): void {
  const at = index * VERDICT.words;
  words[at] = code | (connection << 8);
  words[at + VERDICT.rulesWord] = rules;
  words[at + VERDICT.portsWord] = swapBytes(((translated.sourcePort << 16) | translated.destinationPort) >>> 0);
  words[at + VERDICT.sourceWord] = swapBytes(translated.source);
  words[at + VERDICT.destinationWord] = swapBytes(translated.destination);
}
