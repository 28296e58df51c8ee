// The memory layout: every size, offset, flag and id that TypeScript and the core share. Little-endian; offsets in bytes.
// Addresses and ports of packets, tuples and tables are *wire words*: network-order bytes, read as they lie. A word of
// ports is source port in the low half and destination port in the high half, each in network order.
// Records that hold addresses exist for both families: ..._V4 with 4 and ..._V6 with 16 bytes an address.

/** Goes up with every change in this file; the core exports its copy, and a stale binary is refused. */
export const LAYOUT_VERSION: u32 = 1;

export const ADDRESS_V4: u32 = 4;
export const ADDRESS_V6: u32 = 16;

// ---- Packet, written by the caller. 24 bytes (IPv4), 48 bytes (IPv6).
//   0        a        2a       2a+4     2a+8                          2a+12      (a = bytes of an address)
//   | source | dest.  | ports  | class  | flags hook interface (16) | mark |
export const PACKET_SIZE_V4: u32 = 24;
export const PACKET_SIZE_V6: u32 = 48;
export const PACKET_SOURCE: u32 = 0;
/** Offsets after the addresses count from the end of the two addresses. */
export const PACKET_PORTS: u32 = 0;
export const PACKET_CLASS: u32 = 4;
export const PACKET_TCP_FLAGS: u32 = 8; // u8, the bits of the TCP header
export const PACKET_HOOK: u32 = 9; // u8, PACKET_HOOK_*
export const PACKET_INTERFACE: u32 = 10; // u16, the number of an interface name; 0 is none
export const PACKET_MARK: u32 = 12;

export const CLASS_NONE: u32 = 0;
export const CLASS_TCP: u32 = 1;
export const CLASS_UDP: u32 = 2;
export const CLASS_SCTP: u32 = 3;
export const CLASS_ICMP: u32 = 4;

export const PACKET_HOOK_DEFAULT: u32 = 0;
export const PACKET_HOOK_PREROUTING: u32 = 1;
export const PACKET_HOOK_OUTPUT: u32 = 2;

export const TCP_FIN: u32 = 1;
export const TCP_SYN: u32 = 2;
export const TCP_RST: u32 = 4;
export const TCP_ACK: u32 = 16;

// ---- Verdict, written by the engine. 24 bytes (IPv4), 48 bytes (IPv6); the last 8 bytes of an IPv6 one are unused... see VERDICT_SIZE_V6.
//   0                                4             8                12      16       16+a
//   | action connection flags 0 | service port | rules evaluated | ports | source | destination |   (as translated)
export const VERDICT_SIZE_V4: u32 = 24;
export const VERDICT_SIZE_V6: u32 = 48;
export const VERDICT_ACTION: u32 = 0; // u8, ACTION_*
export const VERDICT_CONNECTION: u32 = 1; // u8, CONNECTION_*
export const VERDICT_FLAGS: u32 = 2; // u8, VERDICT_FLAG_*
export const VERDICT_SERVICE_PORT: u32 = 4; // the engine's number of a ServicePort; 0 is none
export const VERDICT_RULES: u32 = 8;
export const VERDICT_PORTS: u32 = 12;
export const VERDICT_SOURCE: u32 = 16;

export const ACTION_NONE: u32 = 0; // go on: no stage has decided yet
export const ACTION_ACCEPT: u32 = 1;
export const ACTION_DNAT: u32 = 2;
export const ACTION_DROP: u32 = 3;
export const ACTION_REJECT: u32 = 4;

export const CONNECTION_NEW: u32 = 1;
export const CONNECTION_ESTABLISHED: u32 = 2;
export const CONNECTION_REPLY: u32 = 3;
export const CONNECTION_INVALID: u32 = 4;

export const VERDICT_FLAG_MASQUERADE: u32 = 1;

// ---- Limits.
/** Jumps that may be remembered at once, as deep as the walk of chains goes. */
export const CHAIN_DEPTH_MAX: u32 = 16;
/** Sources an xt_recent list holds (ip_list_tot). */
export const RECENT_LIST_MAX: u32 = 100;

// ---- Ways of a packet through the hooks; a connection remembers one for each direction.
export const PATH_FORWARD: u32 = 0; // PREROUTING, FORWARD, POSTROUTING
export const PATH_INPUT: u32 = 1; // PREROUTING, INPUT
export const PATH_OUTPUT: u32 = 2; // OUTPUT, POSTROUTING
export const PATH_LOOPBACK: u32 = 3; // OUTPUT, POSTROUTING, PREROUTING, INPUT
export const PATH_IPVS: u32 = 4; // PREROUTING, INPUT, OUTPUT, POSTROUTING
export const PATH_COUNT: u32 = 5;

// ---- TCP states, nf_conntrack's order; 0 is no state (UDP).
export const TCP_STATE_NONE: u32 = 0;
export const TCP_STATE_SYN_SENT: u32 = 1;
export const TCP_STATE_SYN_RECV: u32 = 2;
export const TCP_STATE_ESTABLISHED: u32 = 3;
export const TCP_STATE_FIN_WAIT: u32 = 4;
export const TCP_STATE_CLOSE_WAIT: u32 = 5;
export const TCP_STATE_LAST_ACK: u32 = 6;
export const TCP_STATE_TIME_WAIT: u32 = 7;
export const TCP_STATE_CLOSE: u32 = 8;
export const TCP_STATE_SYN_SENT2: u32 = 9;
