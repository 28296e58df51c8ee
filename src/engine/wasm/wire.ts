// Between numbers as people write them and wire words: network-order bytes as a little-endian word reads them.

import { CLASS_ICMP, CLASS_SCTP, CLASS_TCP, CLASS_UDP } from '../../../assembly/shared/layout.ts';
import { type Prefix, parseAddressWords, parsePrefix, prefixMask } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import { readIPv4 } from '../../plain-address.ts';
import { swapBytes } from '../packet-record.ts';

/** The wire words of an address. @throws InvalidArgumentError */
export function addressWords(text: string): number[] {
  return readAddress(text).map(swapBytes);
}

function readAddress(text: string): readonly number[] {
  const words = parseAddressWords(text);
  if (words === undefined) throw new InvalidArgumentError('program address', text, 'is not an IP address');
  return words;
}

/** Writes the wire words of an address from index `at` on, and returns how many they are. @throws InvalidArgumentError */
export function writeAddress(words: Uint32Array, at: number, text: string): number {
  const word = readIPv4(text);
  if (word !== undefined) {
    words[at] = swapBytes(word);
    return 1;
  }
  const read = readAddress(text);
  for (let index = 0; index < read.length; index++) words[at + index] = swapBytes(read[index] ?? 0);
  return read.length;
}

/** Writes the wire words of a prefix and of its mask to two indexes. @throws InvalidArgumentError */
export function writeNetwork(words: Uint32Array, network: number, mask: number, text: string): void {
  // Compiled rules name single addresses, mostly.
  const word = text.endsWith('/32') ? readIPv4(text, text.length - 3) : undefined;
  if (word === undefined) {
    const read = networkWords(text);
    words.set(read.network, network);
    words.set(read.mask, mask);
  } else {
    words[network] = swapBytes(word);
    words[mask] = 0xffffffff;
  }
}

/** Writes the wire words of a network from index `at` on, its prefix length behind them, and returns how many all are. @throws InvalidArgumentError */
export function writePrefix(words: Uint32Array, at: number, text: string): number {
  if (text.includes('/')) {
    const { network, length } = networkWords(text);
    words.set(network, at);
    words[at + network.length] = length;
    return network.length + 1;
  }
  const count = writeAddress(words, at, text);
  words[at + count] = count * 32;
  return count + 1;
}

/** A port between host and network order. */
export function swapPort(port: number): number {
  return ((port & 0xff) << 8) | (port >>> 8);
}

export interface NetworkWords {
  readonly network: readonly number[];
  readonly mask: readonly number[];
  readonly length: number;
}

/** The wire words of a prefix and its mask; a plain address is one of full length. @throws InvalidArgumentError */
export function networkWords(text: string): NetworkWords {
  const slash = text.indexOf('/');
  const words = parseAddressWords(slash < 0 ? text : text.slice(0, slash));
  const bits = (words?.length ?? 0) * 32;
  // Compiled rules name single addresses, mostly; whatever is more than that is read with care.
  if (words !== undefined && (slash < 0 || text.slice(slash + 1) === String(bits)))
    return { network: words.map(swapBytes), mask: words.length === 1 ? WHOLE_V4 : WHOLE_V6, length: bits };
  const prefix = readPrefix(text);
  return { network: prefix.words.map(swapBytes), mask: prefixMask(prefix.family, prefix.length).map(swapBytes), length: prefix.length };
}

const WHOLE_V4: readonly number[] = [0xffffffff];
const WHOLE_V6: readonly number[] = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff];

function readPrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new InvalidArgumentError('program prefix', text, 'is not an address prefix');
  return prefix;
}

/** The core's class of a protocol by its name in any case. ICMP packets never occur, so both kinds share a class. */
export function protocolClass(name: string): number {
  switch (name) {
    case 'TCP':
    case 'tcp':
      return CLASS_TCP;
    case 'UDP':
    case 'udp':
      return CLASS_UDP;
    case 'SCTP':
    case 'sctp':
      return CLASS_SCTP;
    default:
      return name === name.toLowerCase() ? CLASS_ICMP : protocolClass(name.toLowerCase());
  }
}
