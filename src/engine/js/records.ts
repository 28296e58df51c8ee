// Packet records into packets in flight, verdicts into verdict records.
import type { Family } from '../../address.ts';
import { PACKET_LAYOUT, RECORD_CODES, VERDICT_LAYOUT } from '../layouts.ts';
import { portsWord, protocolOf, sctpChunkOf, swapBytes, writeAddress } from '../packet-record.ts';
import type { AddressWords } from './addresses.ts';
import { beginFlight, type Flight, type Tuple } from './flight.ts';
import type { NameTable } from './names.ts';
import type { PacketVerdict } from './packet.ts';

/** The packet of one record. Undefined: its protocol has no ports, it has no tuple to be tracked by. */
export function readFlight(words: Uint32Array, index: number, family: Family, interfaces: NameTable): Flight | undefined {
  const layout = PACKET_LAYOUT[family];
  const at = index * layout.words;
  const protocol = protocolOf(words[at + layout.protocolWord] ?? 0);
  if (protocol === undefined) return undefined;
  const header = words[at + layout.tcpFlagsByte / 4] ?? 0;
  return beginFlight(protocol, readTuple(words, index, family), {
    tcpFlags: header & 0xff,
    sctpChunk: protocol === 'SCTP' ? sctpChunkOf(header & 0xff) : undefined,
    hook: hookOf((header >>> 8) & 0xff),
    inInterface: interfaces.name(header >>> 16) ?? '',
    mark: words[at + layout.markWord] ?? 0,
  });
}

/** The addresses and ports of one record. */
export function readTuple(words: Uint32Array, index: number, family: Family): Tuple {
  const layout = PACKET_LAYOUT[family];
  const at = index * layout.words;
  const ports = swapBytes(words[at + layout.portsWord] ?? 0);
  return {
    source: readWords(words, at + layout.sourceWord, layout.addressWords),
    sourcePort: ports >>> 16,
    destination: readWords(words, at + layout.destinationWord, layout.addressWords),
    destinationPort: ports & 0xffff,
  };
}

export function writeVerdict(words: Uint32Array, index: number, family: Family, verdict: PacketVerdict): void {
  const layout = VERDICT_LAYOUT[family];
  const at = index * layout.words;
  const { translated } = verdict;
  const flags = verdict.isMasquerade ? RECORD_CODES.masquerade : 0;
  words[at] = RECORD_CODES.action[verdict.action] | (RECORD_CODES.connection[verdict.connection] << 8) | (flags << 16);
  words[at + layout.servicePortWord] = verdict.servicePort;
  words[at + layout.rulesWord] = verdict.rulesEvaluated;
  words[at + layout.portsWord] = portsWord(translated.sourcePort, translated.destinationPort);
  writeAddress(words, at + layout.sourceWord, translated.source);
  writeAddress(words, at + layout.destinationWord, translated.destination);
}

function readWords(words: Uint32Array, at: number, wordCount: number): AddressWords {
  if (wordCount === 1) return [swapBytes(words[at] ?? 0)];
  return Array.from(words.subarray(at, at + wordCount), swapBytes);
}

export function hookOf(code: number): Flight['hook'] {
  if (code === RECORD_CODES.hook.OUTPUT) return 'OUTPUT';
  return code === RECORD_CODES.hook.PREROUTING ? 'PREROUTING' : undefined;
}
