// The layout of packet and verdict records as plain numbers, for those who write and read the words of a batch themselves.
// Derived from assembly/shared/layout.ts, whose own constants stay inside the library.
import {
  ACTION_ACCEPT,
  ACTION_DNAT,
  ACTION_DROP,
  ACTION_REJECT,
  ADDRESS_V4,
  ADDRESS_V6,
  CHUNK_ABORT,
  CHUNK_COOKIE_ACK,
  CHUNK_COOKIE_ECHO,
  CHUNK_DATA,
  CHUNK_DUE,
  CHUNK_ERROR,
  CHUNK_HEARTBEAT,
  CHUNK_HEARTBEAT_ACK,
  CHUNK_INIT,
  CHUNK_INIT_ACK,
  CHUNK_SHUTDOWN,
  CHUNK_SHUTDOWN_ACK,
  CHUNK_SHUTDOWN_COMPLETE,
  CLASS_SCTP,
  CLASS_TCP,
  CLASS_UDP,
  CONNECTION_ESTABLISHED,
  CONNECTION_INVALID,
  CONNECTION_NEW,
  CONNECTION_REPLY,
  CONNECTION_UNTRACKED,
  PACKET_CLASS,
  PACKET_HOOK,
  PACKET_HOOK_DEFAULT,
  PACKET_HOOK_OUTPUT,
  PACKET_HOOK_PREROUTING,
  PACKET_INTERFACE,
  PACKET_MARK,
  PACKET_PORTS,
  PACKET_SCTP_CHUNK,
  PACKET_SIZE_V4,
  PACKET_SIZE_V6,
  PACKET_SOURCE,
  PACKET_TCP_FLAGS,
  VERDICT_ACTION,
  VERDICT_CONNECTION,
  VERDICT_FLAG_MASQUERADE,
  VERDICT_FLAGS,
  VERDICT_PORTS,
  VERDICT_RULES,
  VERDICT_SERVICE_PORT,
  VERDICT_SIZE_V4,
  VERDICT_SIZE_V6,
  VERDICT_SOURCE,
} from '../../assembly/shared/layout.ts';
import type { Family } from '../address.ts';
import type { Action, ConnectionState, SctpChunk, TransportProtocol } from '../packet.ts';

/**
 * One packet record. Offsets that end in `Word` count 32-bit words from the record's start, those in `Byte` count bytes.
 * Words are little-endian, as on every WebAssembly host; an address is its network-order bytes as they lie, a word of ports is
 * the source port in the low half and the destination port in the high half, each in network order.
 */
export interface PacketLayout {
  /** Size of a record. */
  readonly words: number;
  readonly bytes: number;
  /** Words of one address: 1 or 4. */
  readonly addressWords: number;
  readonly sourceWord: number;
  readonly destinationWord: number;
  readonly portsWord: number;
  /** One of RECORD_CODES.protocol. */
  readonly protocolWord: number;
  /** u8: the bits of the TCP header. */
  readonly tcpFlagsByte: number;
  /** u8, SCTP only and in the same place: one of RECORD_CODES.sctpChunk. */
  readonly sctpChunkByte: number;
  /** u8: one of RECORD_CODES.hook. */
  readonly hookByte: number;
  /** u16: the number of an interface name; 0 is none. */
  readonly interfaceByte: number;
  readonly markWord: number;
}

/** One verdict record, in the same terms as a packet record. */
export interface VerdictLayout {
  readonly words: number;
  readonly bytes: number;
  readonly addressWords: number;
  /** u8: one of RECORD_CODES.action; 0 before the packet was processed. */
  readonly actionByte: number;
  /** u8: one of RECORD_CODES.connection. */
  readonly connectionByte: number;
  /** u8: RECORD_CODES.masquerade or 0. */
  readonly flagsByte: number;
  /** The engine's number of a ServicePort; 0 is none. */
  readonly servicePortWord: number;
  readonly rulesWord: number;
  /** Ports and addresses as translated. */
  readonly portsWord: number;
  readonly sourceWord: number;
  readonly destinationWord: number;
}

/** The numbers that stand for words in records. */
export interface RecordCodes {
  readonly protocol: Readonly<Record<TransportProtocol, number>>;
  /** `due`: the chunk that comes next in a handshake. Any other number counts as DATA. */
  readonly sctpChunk: Readonly<Record<'due' | SctpChunk, number>>;
  readonly hook: Readonly<Record<'default' | 'PREROUTING' | 'OUTPUT', number>>;
  readonly action: Readonly<Record<Action, number>>;
  readonly connection: Readonly<Record<ConnectionState, number>>;
  readonly masquerade: number;
}

export const RECORD_CODES: RecordCodes = {
  protocol: { TCP: CLASS_TCP, UDP: CLASS_UDP, SCTP: CLASS_SCTP },
  sctpChunk: {
    due: CHUNK_DUE,
    DATA: CHUNK_DATA,
    INIT: CHUNK_INIT,
    INIT_ACK: CHUNK_INIT_ACK,
    COOKIE_ECHO: CHUNK_COOKIE_ECHO,
    COOKIE_ACK: CHUNK_COOKIE_ACK,
    SHUTDOWN: CHUNK_SHUTDOWN,
    SHUTDOWN_ACK: CHUNK_SHUTDOWN_ACK,
    SHUTDOWN_COMPLETE: CHUNK_SHUTDOWN_COMPLETE,
    ERROR: CHUNK_ERROR,
    ABORT: CHUNK_ABORT,
    HEARTBEAT: CHUNK_HEARTBEAT,
    HEARTBEAT_ACK: CHUNK_HEARTBEAT_ACK,
  },
  hook: { default: PACKET_HOOK_DEFAULT, PREROUTING: PACKET_HOOK_PREROUTING, OUTPUT: PACKET_HOOK_OUTPUT },
  action: { ACCEPT: ACTION_ACCEPT, DNAT: ACTION_DNAT, DROP: ACTION_DROP, REJECT: ACTION_REJECT },
  connection: {
    NEW: CONNECTION_NEW,
    ESTABLISHED: CONNECTION_ESTABLISHED,
    REPLY: CONNECTION_REPLY,
    INVALID: CONNECTION_INVALID,
    UNTRACKED: CONNECTION_UNTRACKED,
  },
  masquerade: VERDICT_FLAG_MASQUERADE,
};

export const PACKET_LAYOUT: Readonly<Record<Family, PacketLayout>> = {
  IPv4: packetLayout(PACKET_SIZE_V4, ADDRESS_V4),
  IPv6: packetLayout(PACKET_SIZE_V6, ADDRESS_V6),
};

export const VERDICT_LAYOUT: Readonly<Record<Family, VerdictLayout>> = {
  IPv4: verdictLayout(VERDICT_SIZE_V4, ADDRESS_V4),
  IPv6: verdictLayout(VERDICT_SIZE_V6, ADDRESS_V6),
};

function packetLayout(bytes: number, addressBytes: number): PacketLayout {
  const afterAddresses = PACKET_SOURCE + 2 * addressBytes;
  return {
    words: bytes / 4,
    bytes,
    addressWords: addressBytes / 4,
    sourceWord: PACKET_SOURCE / 4,
    destinationWord: (PACKET_SOURCE + addressBytes) / 4,
    portsWord: (afterAddresses + PACKET_PORTS) / 4,
    protocolWord: (afterAddresses + PACKET_CLASS) / 4,
    tcpFlagsByte: afterAddresses + PACKET_TCP_FLAGS,
    sctpChunkByte: afterAddresses + PACKET_SCTP_CHUNK,
    hookByte: afterAddresses + PACKET_HOOK,
    interfaceByte: afterAddresses + PACKET_INTERFACE,
    markWord: (afterAddresses + PACKET_MARK) / 4,
  };
}

function verdictLayout(bytes: number, addressBytes: number): VerdictLayout {
  return {
    words: bytes / 4,
    bytes,
    addressWords: addressBytes / 4,
    actionByte: VERDICT_ACTION,
    connectionByte: VERDICT_CONNECTION,
    flagsByte: VERDICT_FLAGS,
    servicePortWord: VERDICT_SERVICE_PORT / 4,
    rulesWord: VERDICT_RULES / 4,
    portsWord: VERDICT_PORTS / 4,
    sourceWord: VERDICT_SOURCE / 4,
    destinationWord: (VERDICT_SOURCE + addressBytes) / 4,
  };
}
