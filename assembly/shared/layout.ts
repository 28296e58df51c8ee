// The memory layout: every size, offset, flag and id that TypeScript and the core share. Little-endian; offsets in bytes.
// Addresses and ports of packets, tuples and tables are *wire words*: network-order bytes, read as they lie. A word of
// ports is source port in the low half and destination port in the high half, each in network order.
// Records that hold addresses exist for both families: ..._V4 with 4 and ..._V6 with 16 bytes an address.
// Connection tracking, frames and IPVS have files of their own beside this one.

/** Goes up with every change in these files; the core exports its copy, and a stale binary is refused. */
export const LAYOUT_VERSION: u32 = 15;

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
export const PACKET_SCTP_CHUNK: u32 = 8; // u8, in the same place: CHUNK_*
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

// What an SCTP packet carries, as far as anything hangs on it; any other number counts as DATA.
export const CHUNK_DUE: u32 = 0; // the one that comes next in a handshake
export const CHUNK_DATA: u32 = 1;
export const CHUNK_INIT: u32 = 2;
export const CHUNK_INIT_ACK: u32 = 3;
export const CHUNK_COOKIE_ECHO: u32 = 4;
export const CHUNK_COOKIE_ACK: u32 = 5;
export const CHUNK_SHUTDOWN: u32 = 6;
export const CHUNK_SHUTDOWN_ACK: u32 = 7;
export const CHUNK_SHUTDOWN_COMPLETE: u32 = 8;
export const CHUNK_ERROR: u32 = 9;
export const CHUNK_ABORT: u32 = 10;
export const CHUNK_HEARTBEAT: u32 = 11;
export const CHUNK_HEARTBEAT_ACK: u32 = 12;

// ---- Verdict, written by the engine. 24 bytes (IPv4), 48 bytes (IPv6).
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

export const ACTION_NONE: u32 = 0; // go on: nothing has decided yet
export const ACTION_ACCEPT: u32 = 1;
export const ACTION_DNAT: u32 = 2;
export const ACTION_DROP: u32 = 3;
export const ACTION_REJECT: u32 = 4;

export const CONNECTION_NEW: u32 = 1;
export const CONNECTION_ESTABLISHED: u32 = 2;
export const CONNECTION_REPLY: u32 = 3; // CONNECTION_ESTABLISHED + 1: the core adds the direction
export const CONNECTION_INVALID: u32 = 4;
export const CONNECTION_UNTRACKED: u32 = 5;

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

// ---- Engine state, one for both families. STATE_COUNTERS and what follows are u64 counters in the order of COUNTER_*.
//   0     8      12     16       20       24           28             32              40
//   | now | ipvs | 0    | random | max    | interfaces | tcp loose    | timeouts →     ...
export const STATE_NOW: u32 = 0; // f64, milliseconds
export const STATE_IPVS: u32 = 8; // address of IPVS's NAMESPACE (ipvs-layout.ts); 0: there never was a virtual service
export const STATE_RANDOM: u32 = 16;
export const STATE_CONNTRACK_MAX: u32 = 20;
export const STATE_INTERFACES: u32 = 24; // address of the interface names, INTERFACE_SIZE bytes each; number 0 is the empty name
export const STATE_TCP_LOOSE: u32 = 28;
/** u32 milliseconds each, by TIMEOUT_*. */
export const STATE_TIMEOUTS: u32 = 32;
export const STATE_ROOT_V4: u32 = 120; // address of the Program in force; 0: none yet
export const STATE_ROOT_V6: u32 = 124;
export const STATE_COUNTERS: u32 = 128;
export const STATE_SIZE: u32 = 240;

/** The timeouts of TCP states come first, by TCP_STATE_*. */
export const TIMEOUT_UDP: u32 = 10;
export const TIMEOUT_UDP_STREAM: u32 = 11;
export const TIMEOUT_SCTP: u32 = 12; // and those of SCTP states from here on, by SCTP_STATE_*
export const TIMEOUT_TCP_UNACKNOWLEDGED: u32 = 21;
export const TIMEOUT_COUNT: u32 = 22;

export const COUNTER_PACKETS: u32 = 0;
export const COUNTER_NEW: u32 = 1;
export const COUNTER_ESTABLISHED: u32 = 2;
export const COUNTER_REPLY: u32 = 3;
export const COUNTER_INVALID: u32 = 4;
export const COUNTER_ACCEPT: u32 = 5; // COUNTER_ACCEPT + action - ACTION_ACCEPT: the four actions
export const COUNTER_DNAT: u32 = 6;
export const COUNTER_DROP: u32 = 7;
export const COUNTER_REJECT: u32 = 8;
export const COUNTER_CONNTRACK_FULL: u32 = 9;
export const COUNTER_INSERT_FAILED: u32 = 10;
export const COUNTER_CHAIN_TOO_DEEP: u32 = 11;
export const COUNTER_EARLY_DROP: u32 = 12;
export const COUNTER_UNTRACKED: u32 = 13;
export const COUNTER_COUNT: u32 = 14;

export const INTERFACE_SIZE: u32 = 16; // IFNAMSIZ, zero-padded
export const INTERFACE_LOOPBACK: u32 = 1; // the number of `lo`

// ---- Program root, one a family: what the core reads of a Program. A change makes a new root; storing its address puts it in force.
//   0                     40       44           48                68               72           76
//   | 5 x (chains, count) | local  | masquerade | 5 x established | first priority | thresholds | addresses of records ...
// Records that others refer to (chains, sets) are numbered. A reference is ROOT_SIZE + 4 x number: the place,
// from the root, where the address of the record stands. Records may so be replaced without a look at who refers to them.
export const ROOT_HOOKS: u32 = 0; // by HOOK_*: address of BASE records, their number
export const ROOT_LOCAL: u32 = 40; // SET of networks that are LOCAL
export const ROOT_MASQUERADE: u32 = 44; // address of the address; 0: none
export const ROOT_ESTABLISHED: u32 = 48; // by PATH_*: rules evaluated, or ESTABLISHED_RUN
export const ROOT_FIRST_PRIORITY: u32 = 68; // i32: PRIORITY_CONNTRACK where chains before it are asked before connections are looked up, else PRIORITY_FIRST
export const ROOT_THRESHOLDS: u32 = 72; // address of 31-bit thresholds, one word each: by how many Endpoints are left, how often TARGET_DRAW takes the first of them
export const ROOT_SIZE: u32 = 76;
export const ESTABLISHED_RUN: u32 = 0xffffffff;

export const HOOK_PREROUTING: u32 = 0;
export const HOOK_INPUT: u32 = 1;
export const HOOK_FORWARD: u32 = 2;
export const HOOK_OUTPUT: u32 = 3;
export const HOOK_POSTROUTING: u32 = 4;
export const HOOK_COUNT: u32 = 5;

// ---- Base chain of a hook, 20 bytes, sorted by priority.   | chain | is nat | priority (i32) | rules of new packets | marks |
export const BASE_SIZE: u32 = 20;
export const BASE_CHAIN: u32 = 0; // reference
export const BASE_IS_NAT: u32 = 4;
export const BASE_PRIORITY: u32 = 8;
export const BASE_NEW_RULES: u32 = 12; // what a packet with ctstate NEW and none of these marks meets before it passes, or BASE_RUN
export const BASE_MARKS: u32 = 16;
export const BASE_RUN: u32 = 0xffffffff;

/** Before and behind every chain that iptables or kube-proxy makes. */
export const PRIORITY_FIRST: i32 = -1000;
export const PRIORITY_LAST: i32 = 1000;
/** Where conntrack sees packets (NF_IP_PRI_CONNTRACK). */
export const PRIORITY_CONNTRACK: i32 = -200;
/** Where the destination is translated, and where IPVS listens at OUTPUT (NF_IP_PRI_NAT_DST, + 2). */
export const PRIORITY_NAT_DESTINATION: i32 = -100;
export const PRIORITY_IPVS_OUTPUT: i32 = -98;

// ---- Chain, 32 bytes. The columns hold one word a rule and column, each column CHAIN_PADDED words long:
//      destination address (a/4 columns), its mask (a/4 columns), ports, classes. A rule whose columns match has its MATCH records asked.
//      Behind them, of the rules that CHAIN_ALIKE counts, the tags: half a word each, addressTag of the last word of the address.
//      Rules from CHAIN_WRITTEN on choose among Endpoints: all of them have one record, behind those of the written ones.
//   0       4        8         12      16           20      24     28
//   | rules | padded | columns | rules | end action | alike | written | 0 |
export const CHAIN_SIZE: u32 = 32;
export const CHAIN_COUNT: u32 = 0;
export const CHAIN_PADDED: u32 = 4; // 0 where no rule names a destination, ports or classes; else CHAIN_WRITTEN rounded up to CHAIN_PAD_SHORT, from CHAIN_PAD on to CHAIN_PAD, with rows that match nothing
export const CHAIN_COLUMNS: u32 = 8;
export const CHAIN_RULES: u32 = 12;
export const CHAIN_END: u32 = 16; // ACTION_* at the end of a base chain: its policy
export const CHAIN_ALIKE: u32 = 20; // so many rules, whole CHAIN_PADs from the first on, have the mask of the first one, as far as its last word goes
export const CHAIN_WRITTEN: u32 = 24;
/** Ports: lowest | ~highest << 16, host order, so that one unsigned comparison of halves with port | ~port << 16 tests both ends. */
export const PORTS_ANY: u32 = 0;
export const PORTS_NONE: u32 = 0xffffffff; // from 65535 to 0
/** Classes: bit CLASS_* for each class that matches. */
export const CLASSES_ANY: u32 = 0xffffffff;
export const CHAIN_PAD: u32 = 32;
export const CHAIN_PAD_SHORT: u32 = 4;

// ---- Rule, 32 bytes.   | target | a | b | matches | match count | service port | c | 0 |
export const RULE_SIZE: u32 = 32;
export const RULE_TARGET: u32 = 0; // TARGET_*
export const RULE_A: u32 = 4;
export const RULE_B: u32 = 8;
export const RULE_MATCHES: u32 = 12;
export const RULE_MATCH_COUNT: u32 = 16;
export const RULE_SERVICE_PORT: u32 = 20;
export const RULE_C: u32 = 24;

export const TARGET_NONE: u32 = 0;
export const TARGET_ACCEPT: u32 = 1;
export const TARGET_DROP: u32 = 2;
export const TARGET_REJECT: u32 = 3;
export const TARGET_RETURN: u32 = 4;
export const TARGET_JUMP: u32 = 5; // a: reference of a chain
export const TARGET_GOTO: u32 = 6; // a: reference of a chain
export const TARGET_MARK: u32 = 7; // a: value, b: mask
export const TARGET_DNAT: u32 = 8; // a: address of the address, b: port in network order, or PORT_KEEP
export const TARGET_SNAT: u32 = 9; // as DNAT
export const TARGET_MASQUERADE: u32 = 10; // a: 1 for random-fully
export const TARGET_VERDICT_MAP: u32 = 11; // a: reference of a SET, b: key selectors
export const TARGET_RANDOM_CHAIN: u32 = 12; // a: address of references of chains, b: their number
export const TARGET_UPDATE_SIGHTING: u32 = 13; // a: number of a dynamic set, b: its timeout in seconds
export const TARGET_NOTRACK: u32 = 14;
export const TARGET_TPROXY: u32 = 15; // a: value, b: mask of the mark
export const TARGET_DNAT_ENDPOINT: u32 = 16; // to the Endpoint chosen last
// Choices. a: address of ENDPOINT records, counted as if the written rules had some too, b: address of the pattern, c: their number.
export const TARGET_DRAW: u32 = 17; // a rule for each Endpoint: jumps there by chance, the last one always
export const TARGET_RANDOM_ENDPOINT: u32 = 18; // one rule: goes to any of them
export const PORT_KEEP: u32 = 0xffffffff;

// ---- Endpoint, 8 bytes (IPv4), 20 bytes (IPv6): what the chain of an Endpoint has for itself. Its rules are those of a pattern, a CHAIN
//      that many share.   | port, network order | address ... |
export const ENDPOINT_SIZE_V4: u32 = 8;
export const ENDPOINT_SIZE_V6: u32 = 20;
export const ENDPOINT_PORT: u32 = 0;
export const ENDPOINT_ADDRESS: u32 = 4;

// ---- Match, 48 bytes: what the columns cannot say.   | kind | negated | a | b | 8 words |
export const MATCH_SIZE: u32 = 48;
export const MATCH_KIND: u32 = 0;
export const MATCH_NEGATED: u32 = 4; // 0 or 1
export const MATCH_A: u32 = 8;
export const MATCH_B: u32 = 12;
export const MATCH_WORDS: u32 = 16;

export const MATCH_NEVER: u32 = 0;
export const MATCH_SOURCE: u32 = 1; // words: address (16 bytes), mask (16 bytes), wire words
export const MATCH_DESTINATION: u32 = 2;
export const MATCH_CLASS: u32 = 3; // a: class
export const MATCH_SOURCE_PORT: u32 = 4; // a: from, b: to, host order
export const MATCH_DESTINATION_PORT: u32 = 5;
export const MATCH_MARK: u32 = 6; // a: value, b: mask
export const MATCH_CONNTRACK_STATE: u32 = 7; // a: STATE_BIT_*
export const MATCH_SOURCE_LOCAL: u32 = 8;
export const MATCH_DESTINATION_LOCAL: u32 = 9;
export const MATCH_STATISTIC: u32 = 10; // a: 31-bit threshold
export const MATCH_RECENT_CHECK: u32 = 11; // a: RECENT list, b: seconds, words[0]: 1 for reap
export const MATCH_RECENT_SET: u32 = 12; // a: RECENT list
export const MATCH_SET: u32 = 13; // a: reference of a SET, b: key selectors
export const MATCH_INTERFACE: u32 = 14; // a: length that counts, words: 16 bytes of the name
export const MATCH_IPVS: u32 = 15; // a: class, b: port in network order, words: address
export const MATCH_SIGHTING: u32 = 16; // a: number of a dynamic set
export const MATCH_SOURCE_ENDPOINT: u32 = 17; // the address of the Endpoint whose chain it is

export const STATE_BIT_NEW: u32 = 1;
export const STATE_BIT_ESTABLISHED: u32 = 2;
export const STATE_BIT_RELATED: u32 = 4;
export const STATE_BIT_INVALID: u32 = 8;
export const STATE_BIT_UNTRACKED: u32 = 16;
export const STATE_BIT_SNAT: u32 = 32;
export const STATE_BIT_DNAT: u32 = 64;

// ---- Set or map, 24 bytes and its slots: an open hash table with linear probing, at most half full.
//   0       4        8       12             16              20
//   | slots | count-1| words | network words| length count  | lengths (masks) |
//   Slot: | hash (0: empty) | value | service port | key words ... |, 12 + 4 x words bytes.
//   A key is built from selectors, four bits each, first one lowest. With networks, which come last, the address is masked by each mask in turn.
export const SET_SIZE: u32 = 24;
export const SET_SLOTS: u32 = 0;
export const SET_SLOT_MASK: u32 = 4;
export const SET_KEY_WORDS: u32 = 8;
export const SET_MASK_COUNT: u32 = 12; // 0: no network field
export const SET_MASKS: u32 = 16; // MASK records, longest first
//   Mask, 40 bytes:   | mask, wire words (16) | prefix length | is alone | network (16) |. The length follows the network in the key:
//   10.0.0.0/8 is not 10.0.0.0/9.
export const MASK_SIZE: u32 = 40;
export const MASK_LENGTH: u32 = 16;
export const MASK_IS_ALONE: u32 = 20; // 1: the key is a network, and this is the only one of its length
export const MASK_NETWORK: u32 = 24; // that one
export const SLOT_HASH: u32 = 0;
export const SLOT_VALUE: u32 = 4; // maps: reference of a chain, or VALUE_DROP; sets: how many parts of the Program bring the element
export const SLOT_SERVICE_PORT: u32 = 8;
export const SLOT_KEY: u32 = 12;
export const VALUE_DROP: u32 = 0xffffffff;
export const KEY_WORDS_MAX: u32 = 12;

export const SELECT_END: u32 = 0;
export const SELECT_SOURCE: u32 = 1;
export const SELECT_DESTINATION: u32 = 2;
export const SELECT_SOURCE_PORT: u32 = 3; // class << 16 | port in host order
export const SELECT_DESTINATION_PORT: u32 = 4;
export const SELECT_SOURCE_PORT_ONLY: u32 = 5; // port in host order
export const SELECT_DESTINATION_PORT_ONLY: u32 = 6;

// ---- xt_recent list: 8 bytes and RECENT_LIST_MAX entries of 8 + a bytes.   | count | 0 | (last seen f64, address) ... |
export const RECENT_COUNT: u32 = 0;
export const SECONDS_EVER: u32 = 0xffffffff; // a rcheck without --seconds
export const RECENT_ENTRIES: u32 = 8;
export const RECENT_LAST_SEEN: u32 = 0;
export const RECENT_ADDRESS: u32 = 8;

// ---- Sightings: the elements of all dynamic sets (nftables session affinity) of a family, one open hash table.
//   Table, 16 bytes:   | slots | count-1 | used | 0 |      Slot, 32 bytes:   | expires at (f64) | set (0: empty) | 0 | address |
export const SIGHTINGS_SIZE: u32 = 16;
export const SIGHTINGS_SLOTS: u32 = 0;
export const SIGHTINGS_SLOT_MASK: u32 = 4;
export const SIGHTINGS_USED: u32 = 8; // slots taken, expired ones included
export const SIGHTING_SIZE: u32 = 32;
export const SIGHTING_EXPIRES_AT: u32 = 0;
export const SIGHTING_SET: u32 = 8;
export const SIGHTING_ADDRESS: u32 = 16;
