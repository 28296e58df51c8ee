// Packets into packet records, verdict records into verdicts: the border between the convenience API and the words of a batch.
// Both engines' callers use it; the engines themselves read and write the words alone.
import { type Family, familyOfWords, formatAddress, parseAddressWords } from '../address.ts';
import { InvalidArgumentError } from '../errors.ts';
import {
  type Action,
  type ConnectionState,
  type Packet,
  SCTP_CHUNKS,
  type SctpChunk,
  type TransportProtocol,
  type Verdict,
} from '../packet.ts';
import { PACKET_LAYOUT, RECORD_CODES, VERDICT_LAYOUT } from './layouts.ts';

const TCP_FLAGS_SYN = 2;

const protocols = new Map<number, TransportProtocol>();
for (const protocol of ['TCP', 'UDP', 'SCTP'] as const) protocols.set(RECORD_CODES.protocol[protocol], protocol);
const chunks = new Map<number, SctpChunk>();
for (const chunk of SCTP_CHUNKS) chunks.set(RECORD_CODES.sctpChunk[chunk], chunk);
const actions = new Map<number, Action>();
for (const action of ['ACCEPT', 'DNAT', 'DROP', 'REJECT'] as const) actions.set(RECORD_CODES.action[action], action);
const connections = new Map<number, ConnectionState>();
for (const state of ['NEW', 'ESTABLISHED', 'REPLY', 'INVALID', 'UNTRACKED'] as const)
  connections.set(RECORD_CODES.connection[state], state);

/** The protocol behind the number in a packet record. */
export function protocolOf(code: number): TransportProtocol | undefined {
  return protocols.get(code);
}

/** The chunk behind the number in a packet record; undefined: the one that is due. A number without a name is some other chunk. */
export function sctpChunkOf(code: number): SctpChunk | undefined {
  return code === RECORD_CODES.sctpChunk.due ? undefined : (chunks.get(code) ?? 'DATA');
}

/** The action and the connection state behind the numbers in a verdict record. */
export function actionOf(code: number): Action | undefined {
  return actions.get(code);
}

export function connectionOf(code: number): ConnectionState | undefined {
  return connections.get(code);
}

/** A host-order word as its network-order bytes lie in little-endian memory, and back. */
export function swapBytes(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/** Both ports as one wire word. */
export function portsWord(sourcePort: number, destinationPort: number): number {
  return swapBytes(((sourcePort << 16) | destinationPort) >>> 0);
}

/** Writes the record of a packet. @throws InvalidArgumentError when a field makes no sense; nothing is written then. */
export function writePacket(words: Uint32Array, index: number, family: Family, packet: Packet, interfaceId: number): void {
  const source = addressIn('packet.source', packet.source, family);
  const destination = addressIn('packet.destination', packet.destination, family);
  const sourcePort = integerIn('packet.sourcePort', packet.sourcePort, 0xffff);
  const destinationPort = integerIn('packet.destinationPort', packet.destinationPort, 0xffff);
  const tcpFlags = integerIn('packet.tcpFlags', packet.tcpFlags ?? TCP_FLAGS_SYN, 0xff);
  const sctpChunk = codeIn('packet.sctpChunk', packet.sctpChunk ?? 'due', RECORD_CODES.sctpChunk);
  const mark = integerIn('packet.mark', packet.mark ?? 0, 0xffffffff);
  const interfaceNumber = integerIn('interfaceId', interfaceId, 0xffff);
  const protocol = codeIn('packet.protocol', packet.protocol, RECORD_CODES.protocol);
  const hook = codeIn('packet.hook', packet.hook ?? 'default', RECORD_CODES.hook);

  const layout = PACKET_LAYOUT[family];
  const at = index * layout.words;
  writeAddress(words, at + layout.sourceWord, source);
  writeAddress(words, at + layout.destinationWord, destination);
  words[at + layout.portsWord] = portsWord(sourcePort, destinationPort);
  words[at + layout.protocolWord] = protocol;
  words[at + layout.tcpFlagsByte / 4] = ((packet.protocol === 'SCTP' ? sctpChunk : tcpFlags) | (hook << 8) | (interfaceNumber << 16)) >>> 0;
  words[at + layout.markWord] = mark;
}

/** Reads the verdict of one packet. @throws InvalidArgumentError when none was written yet. */
export function readVerdict(
  words: Uint32Array,
  index: number,
  family: Family,
  servicePortName: (id: number) => string | undefined,
): Verdict {
  const layout = VERDICT_LAYOUT[family];
  const at = index * layout.words;
  const outcome = words[at] ?? 0;
  const action = actions.get(outcome & 0xff);
  const connection = connections.get((outcome >>> 8) & 0xff);
  if (action === undefined || connection === undefined) throw new InvalidArgumentError('index', index, 'has no verdict yet');
  const ports = swapBytes(words[at + layout.portsWord] ?? 0);
  const translated = {
    source: readAddress(words, at + layout.sourceWord, layout.addressWords),
    sourcePort: ports >>> 16,
    destination: readAddress(words, at + layout.destinationWord, layout.addressWords),
    destinationPort: ports & 0xffff,
  };
  const servicePort = servicePortName(words[at + layout.servicePortWord] ?? 0);
  const masquerade = ((outcome >>> 16) & 0xff & RECORD_CODES.masquerade) !== 0;
  const rulesEvaluated = words[at + layout.rulesWord] ?? 0;
  const backend = action === 'DNAT' ? { address: translated.destination, port: translated.destinationPort } : undefined;
  // One literal for each combination of what is optional: the verdicts of a stream then share a shape.
  if (servicePort !== undefined && backend !== undefined)
    return { action, connection, servicePort, backend, masquerade, translated, rulesEvaluated };
  if (servicePort !== undefined) return { action, connection, servicePort, masquerade, translated, rulesEvaluated };
  if (backend !== undefined) return { action, connection, backend, masquerade, translated, rulesEvaluated };
  return { action, connection, masquerade, translated, rulesEvaluated };
}

/** Writes an address, given as host-order words, as wire words. */
export function writeAddress(words: Uint32Array, at: number, address: readonly number[]): void {
  for (let index = 0; index < address.length; index++) words[at + index] = swapBytes(address[index] ?? 0);
}

/** The text of an address that stands as wire words. */
export function readAddress(words: Uint32Array, at: number, wordCount: number): string {
  const address: number[] = [];
  for (let index = at; index < at + wordCount; index++) address.push(swapBytes(words[index] ?? 0));
  return formatAddress(address);
}

function addressIn(path: string, text: string, family: Family): readonly number[] {
  const address = parseAddressWords(text);
  if (address === undefined) throw new InvalidArgumentError(path, text, 'is not an IP address');
  if (familyOfWords(address) !== family) throw new InvalidArgumentError(path, text, `is not an ${family} address`);
  return address;
}

function integerIn(path: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new InvalidArgumentError(path, value, `is outside 0-${max}`);
  return value;
}

function codeIn<Name extends string>(path: string, name: Name, codes: Readonly<Record<Name, number>>): number {
  const code: unknown = codes[name]; // what every object inherits is no number
  if (typeof code === 'number') return code;
  throw new InvalidArgumentError(path, name, `is none of ${Object.keys(codes).join(', ')}`);
}
