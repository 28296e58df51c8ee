// One packet into the core and its verdict out: a record of each for either family.
import {
  IPVS_DROP,
  IPVS_FORWARD,
  IPVS_PACKET_FLAG_FROM_SERVER,
  IPVS_PACKET_FLAG_ICMP_ERROR,
  IPVS_REJECT,
  IPVS_TRANSLATE,
  IPVS_VERDICT_ACTION,
  IPVS_VERDICT_ADDRESS,
  IPVS_VERDICT_BY,
  IPVS_VERDICT_PORT,
  IPVS_VERDICT_SERVER,
  IPVS_VERDICT_SIZE,
} from '../../../assembly/shared/ipvs-layout.ts';
import { PACKET_SIZE_V6 } from '../../../assembly/shared/layout.ts';
import { formatAddress } from '../../address.ts';
import { RECORD_CODES } from '../../engine/layouts.ts';
import { portsWord, swapBytes } from '../../engine/packet-record.ts';
import { protocolClass, swapPort } from '../../engine/wasm/wire.ts';
import type { EnginePacket, Foresight } from '../engine.ts';
import { leaveAlone } from '../leave-alone.ts';
import type { IpvsVerdict } from '../types.ts';
import type { NamespaceMemory } from './namespace.ts';
import type { Servers } from './servers.ts';

/** In the order of FORWARD_BY_*. */
const FORWARD_BY = ['connection', 'template', 'scheduler'] as const;

export class PacketBorder {
  readonly #namespace: NamespaceMemory;
  readonly #servers: Servers;
  readonly #packet: number;
  readonly #verdict: number;

  constructor(namespace: NamespaceMemory, servers: Servers) {
    this.#namespace = namespace;
    this.#servers = servers;
    this.#packet = namespace.memory.allocate(PACKET_SIZE_V6);
    this.#verdict = namespace.memory.allocate(IPVS_VERDICT_SIZE);
  }

  process(packet: EnginePacket, now: number): IpvsVerdict {
    this.#namespace.reserve(1);
    this.#write(packet);
    this.#namespace.core.process(packet.source.family, this.#namespace.address, this.#packet, this.#verdict, 1, now);
    return this.#read(packet);
  }

  /** Of a client's packet. Nothing moves. */
  foresee(packet: EnginePacket, isConfirmed: boolean): Foresight {
    const { family } = packet.source;
    this.#namespace.reserve(1);
    this.#write(packet);
    this.#namespace.core.foresee(family, this.#namespace.address, this.#packet, this.#verdict, isConfirmed);
    switch (this.#action) {
      case IPVS_FORWARD: {
        const address = this.#serverAddress(packet);
        const by = FORWARD_BY[this.#half(IPVS_VERDICT_BY)] ?? 'scheduler';
        return { kind: 'forward', destination: { address, port: swapPort(this.#word(IPVS_VERDICT_PORT)) }, by };
      }
      case IPVS_REJECT:
        return { kind: 'noServer' };
      case IPVS_DROP:
        return { kind: 'drop' };
      default:
        return { kind: 'leave' };
    }
  }

  #write({
    source,
    destination,
    sourcePort,
    destinationPort,
    protocol,
    tcpFlags,
    sctpChunk,
    mark,
    isFromServer,
    isIcmpError,
  }: EnginePacket) {
    const { words } = this.#namespace.memory;
    const flags = (isFromServer ? IPVS_PACKET_FLAG_FROM_SERVER : 0) | (isIcmpError ? IPVS_PACKET_FLAG_ICMP_ERROR : 0);
    let at = this.#packet / 4;
    for (const word of source.words) words[at++] = swapBytes(word);
    for (const word of destination.words) words[at++] = swapBytes(word);
    words[at++] = portsWord(sourcePort, destinationPort);
    words[at++] = protocolClass(protocol);
    words[at++] = (protocol === 'SCTP' ? RECORD_CODES.sctpChunk[sctpChunk ?? 'due'] : tcpFlags) | (flags << 8);
    words[at++] = mark;
  }

  #read(packet: EnginePacket): IpvsVerdict {
    switch (this.#action) {
      case IPVS_FORWARD: {
        const address = this.#serverAddress(packet);
        return { action: 'FORWARD', server: { address, port: swapPort(this.#word(IPVS_VERDICT_PORT)) } };
      }
      case IPVS_TRANSLATE: {
        const source = { address: this.#address(packet), port: swapPort(this.#word(IPVS_VERDICT_PORT)) };
        return { action: 'ACCEPT', source, ...(packet.isIcmpError ? { about: source } : {}) };
      }
      case IPVS_REJECT:
        return { action: 'REJECT' };
      case IPVS_DROP:
        return { action: 'DROP' };
      default:
        return leaveAlone(packet);
    }
  }

  #serverAddress(packet: EnginePacket): string {
    const server = this.#word(IPVS_VERDICT_SERVER);
    return server === 0 ? this.#address(packet) : this.#servers.addressText(packet.source.family, server);
  }

  get #action(): number {
    return this.#half(IPVS_VERDICT_ACTION);
  }

  #half(field: number): number {
    return this.#namespace.memory.data.getUint16(this.#verdict + field, true);
  }

  #word(field: number): number {
    return this.#namespace.memory.words[(this.#verdict + field) / 4] ?? 0;
  }

  #address({ source }: EnginePacket): string {
    const first = (this.#verdict + IPVS_VERDICT_ADDRESS) / 4;
    return formatAddress(Array.from(this.#namespace.memory.words.subarray(first, first + source.words.length), swapBytes));
  }
}
