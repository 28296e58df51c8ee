// The memory of IPVS: what TypeScript (src/ipvs/wasm) and the core (assembly/ipvs) share. Little-endian; offsets in bytes; addresses and
// ports are wire words, as in layout.ts. All state of one network namespace hangs on its NAMESPACE record: several may live side by side.

/** Goes up with every change in this file; the core exports its copy, and a stale binary is refused. */
export const IPVS_LAYOUT_VERSION: u32 = 5;

// ---- Namespace, 200 bytes.
//   0     8          16       48         52       56           100   104      108     112     116          120     124    128     132
//   | now | sequence | sysctls| conntrack| random | tcp s      | udp | timers | count | limit | unreserved | cache | mask | free  | count |
//   136         140          144    172
//   | confirmed | foreseeing | IPv4 | IPv6 |
export const NAMESPACE_SIZE: u32 = 200;
export const NAMESPACE_NOW: u32 = 0; // f64, milliseconds, the moment of the running verb
export const NAMESPACE_SEQUENCE: u32 = 8; // f64, entries ever made
export const NAMESPACE_SYSCTLS: u32 = 16; // u32 each, by SYSCTL_*
export const NAMESPACE_CONNTRACK: u32 = 48; // CONNTRACK_*
export const NAMESPACE_RANDOM: u32 = 52;
export const NAMESPACE_TCP_TIMEOUTS: u32 = 56; // u32 seconds each, by IPVS_TCP_*
export const NAMESPACE_UDP_TIMEOUT: u32 = 100; // seconds
export const NAMESPACE_TIMERS: u32 = 104; // address of the TIMER slots
export const NAMESPACE_TIMER_COUNT: u32 = 108; // entries of both families: each has one timer
export const NAMESPACE_TIMER_LIMIT: u32 = 112;
export const NAMESPACE_UNRESERVED: u32 = 116; // new connections dropped because nobody had reserved room; stays 0
export const NAMESPACE_CACHE: u32 = 120; // address of the destination cache's chains: u32 each, the first node
export const NAMESPACE_CACHE_MASK: u32 = 124; // chains - 1, chains a power of two
export const NAMESPACE_CACHE_FREE: u32 = 128; // first free node; 0: none
export const NAMESPACE_CACHE_FREE_COUNT: u32 = 132;
export const NAMESPACE_CONFIRMED: u32 = 136; // with CONNTRACK_NODE: 1 while the packet is one of a confirmed conntrack entry
export const NAMESPACE_FORESEEING: u32 = 140; // 1 while a packet is only asked about: nothing moves
export const NAMESPACE_V4: u32 = 144; // FAMILY
export const NAMESPACE_V6: u32 = 172; // FAMILY

/** Where the conntrack entries of IPVS connections are: nowhere, beside each connection, or in the node's own table. */
export const CONNTRACK_NONE: u32 = 0;
export const CONNTRACK_BESIDE: u32 = 1;
export const CONNTRACK_NODE: u32 = 2;

/** In the order of ENGINE_SYSCTLS. */
export const SYSCTL_CONN_REUSE_MODE: u32 = 0;
export const SYSCTL_CONNTRACK: u32 = 1;
export const SYSCTL_EXPIRE_NODEST_CONN: u32 = 2;
export const SYSCTL_EXPIRE_QUIESCENT_TEMPLATE: u32 = 3;
export const SYSCTL_LBLC_EXPIRATION: u32 = 4; // seconds
export const SYSCTL_LBLCR_EXPIRATION: u32 = 5; // seconds
export const SYSCTL_SLOPPY_SCTP: u32 = 6;
export const SYSCTL_SLOPPY_TCP: u32 = 7;
export const SYSCTL_COUNT: u32 = 8;

// ---- Family, 28 bytes: the services and connections of one address family.
//   0         4             8            12           16         20              24
//   | buckets | bucket mask | first free | free count | services | service count | service mask |
export const FAMILY_SIZE: u32 = 28;
export const FAMILY_BUCKETS: u32 = 0; // address of the BUCKETs
export const FAMILY_BUCKET_MASK: u32 = 4;
export const FAMILY_FREE: u32 = 8; // address of the first free CONN; 0: none
export const FAMILY_FREE_COUNT: u32 = 12;
export const FAMILY_SERVICES: u32 = 16; // address of the chains' heads: u32 each, a SERVICE
export const FAMILY_SERVICE_COUNT: u32 = 20; // 0: IPVS looks at no packet of this family
export const FAMILY_SERVICE_MASK: u32 = 24; // heads - 1, heads a power of two

// ---- Service (a virtual service), 128 bytes. Found by key: class, port and address.
//   0      4       8      12             16        32          36      40        44      48         52        56      60       64
//   | next | class | port | address size | address | scheduler | flags | servers | count | position | level   | top   | gcd   | table |
//   68          72         80          96    100        104
//   | timeout s | bound at | mask ...  | tag | is stale | limit |
export const SERVICE_SIZE: u32 = 128;
export const SERVICE_NEXT: u32 = 0; // in the chain of its hash
export const SERVICE_CLASS: u32 = 4; // CLASS_TCP, CLASS_UDP, CLASS_SCTP, or SERVICE_CLASS_MARK
export const SERVICE_PORT: u32 = 8; // 0 for marks
export const SERVICE_ADDRESS_SIZE: u32 = 12; // ADDRESS_V4 or ADDRESS_V6
export const SERVICE_ADDRESS: u32 = 16; // for marks: the mark, its network-order bytes first
export const SERVICE_SCHEDULER: u32 = 32; // IPVS_SCHEDULER_*
export const SERVICE_FLAGS: u32 = 36; // SERVICE_FLAG_*
export const SERVICE_SERVERS: u32 = 40; // address of the servers' addresses, newest first
export const SERVICE_SERVER_COUNT: u32 = 44;
export const SERVICE_POSITION: u32 = 48; // rr, wrr: number of the server chosen last, plus 1; 0: before the front
export const SERVICE_LEVEL: u32 = 52; // wrr: i32
export const SERVICE_TOP_LEVEL: u32 = 56; // wrr: i32
export const SERVICE_GCD: u32 = 60; // wrr
export const SERVICE_TABLE: u32 = 64; // sh, dh, mh: address of the slots: u16 each, the number of a server in the list, plus 1; 0: none
export const SERVICE_TIMEOUT: u32 = 68; // seconds of persistence
export const SERVICE_BOUND_AT: u32 = 72; // f64, lblc, lblcr: when the scheduler was bound
export const SERVICE_MASK: u32 = 80; // of persistent clients
export const SERVICE_TAG: u32 = 96; // the host's own number
export const SERVICE_IS_STALE: u32 = 100; // sh, dh, mh: 1 when the servers have changed since the table was filled
export const SERVICE_SERVER_LIMIT: u32 = 104; // servers that fit into the list; the core does not ask

/** Beside the classes of packets: a firewall mark. */
export const SERVICE_CLASS_MARK: u32 = 4;

export const SERVICE_FLAG_FALLBACK: u32 = 1;
export const SERVICE_FLAG_PORT: u32 = 2;
export const SERVICE_FLAG_ONE_PACKET: u32 = 4;
export const SERVICE_FLAG_PERSISTENT: u32 = 8;

/** In the order of SCHEDULERS. */
export const IPVS_SCHEDULER_RR: u32 = 0;
export const IPVS_SCHEDULER_WRR: u32 = 1;
export const IPVS_SCHEDULER_LC: u32 = 2;
export const IPVS_SCHEDULER_WLC: u32 = 3;
export const IPVS_SCHEDULER_LBLC: u32 = 4;
export const IPVS_SCHEDULER_LBLCR: u32 = 5;
export const IPVS_SCHEDULER_DH: u32 = 6;
export const IPVS_SCHEDULER_SH: u32 = 7;
export const IPVS_SCHEDULER_SED: u32 = 8;
export const IPVS_SCHEDULER_NQ: u32 = 9;
export const IPVS_SCHEDULER_FO: u32 = 10;
export const IPVS_SCHEDULER_OVF: u32 = 11;
export const IPVS_SCHEDULER_MH: u32 = 12;
export const IPVS_SCHEDULER_TWOS: u32 = 13;

/** Slots of SERVICE_TABLE. */
export const HASH_SLOTS: u32 = 256; // sh, dh
export const MAGLEV_SLOTS: u32 = 4093; // mh
/** Servers of one service: a slot has 16 bits for their numbers. */
export const SERVERS_MAX: u32 = 65535;

// ---- Server (a destination), 64 bytes.
//   0        4             8       12      16      20       24      28           32        48     52   56     60
//   | weight | last weight | upper | lower | total | active | flags | references | address | port | at | skip | turns |
export const SERVER_SIZE: u32 = 64;
export const SERVER_WEIGHT: u32 = 0;
export const SERVER_LAST_WEIGHT: u32 = 4; // the last one above 0; at adding, as given
export const SERVER_UPPER: u32 = 8; // thresholds
export const SERVER_LOWER: u32 = 12;
export const SERVER_TOTAL: u32 = 16; // connections
export const SERVER_ACTIVE: u32 = 20;
export const SERVER_FLAGS: u32 = 24; // SERVER_FLAG_*
export const SERVER_REFERENCES: u32 = 28; // connections, templates and cached choices
export const SERVER_ADDRESS: u32 = 32;
export const SERVER_PORT: u32 = 48; // 0: that of the packet
export const SERVER_MAGLEV_AT: u32 = 52; // mh, while its table is filled
export const SERVER_MAGLEV_SKIP: u32 = 56;
export const SERVER_MAGLEV_TURNS: u32 = 60;

export const SERVER_FLAG_AVAILABLE: u32 = 1; // in its service's list
export const SERVER_FLAG_OVER: u32 = 2; // over its upper threshold and not yet below the lower one

// ---- Connection entry, 64 bytes (IPv4), 128 bytes (IPv6), on cache lines: a connection or a template. Free when CLASS is 0.
//   0       1       2       3           4        8            16         24        28      32             40             40+2a+4
//   | class | state | flags | conntrack | server | expires at | sequence | control | timer | conntrack end| client tuple | server tuple |
//   A tuple: | source | destination | ports |, as in a packet of the client, and of the server. In a template the server tuple is not sought.
export const CONN_SIZE_V4: u32 = 64;
export const CONN_SIZE_V6: u32 = 128;
export const CONN_CLASS: u32 = 0; // u8, CLASS_*; of a template SERVICE_CLASS_MARK too, and CONN_CLASS_TEMPLATE is added
export const CONN_STATE: u32 = 1; // u8, IPVS_TCP_*, IPVS_SCTP_* or IPVS_UDP; of a template TEMPLATE_*
export const CONN_FLAGS: u32 = 2; // u8, CONN_FLAG_*
export const CONN_CONNTRACK_STATE: u32 = 3; // u8, TCP_STATE_* of the conntrack entry beside it; with CONNTRACK_NODE it means nothing, as BUCKET_SCRATCH
export const CONN_SERVER: u32 = 4;
export const CONN_EXPIRES_AT: u32 = 8; // f64, milliseconds
export const CONN_SEQUENCE: u32 = 16; // f64, newer entries have higher ones
export const CONN_CONTROL: u32 = 24; // the template it came by, or 0; of a template: how many connections it controls; free: the next free one
export const CONN_TIMER: u32 = 28; // number of its TIMER slot, plus 1
export const CONN_CONNTRACK_END: u32 = 32; // f64, when the conntrack entry ends
export const CONN_TIMEOUT: u32 = 32; // u32 seconds, of a template
export const CONN_CLIENT_TUPLE: u32 = 40;
export const CONN_SCRATCH_V6: u32 = 112; // of an IPv6 entry's second line

export const CONN_CLASS_TEMPLATE: u32 = 8;
export const CONN_REFERENCE_SERVER: u32 = 1;

export const CONN_FLAG_ACTIVE: u32 = 1; // counts as active on its server
export const CONN_FLAG_TRACKED: u32 = 2; // has a conntrack entry (IP_VS_CONN_F_NFCT)
export const CONN_FLAG_ASIDE: u32 = 4; // a template that is no longer looked up
export const CONN_FLAG_SHADOWED: u32 = 8; // a newer connection has, or had, the same tuple from the server

//   Bucket, 64 bytes: 7 tags (0: empty), the number of tuples whose search begins at or before this bucket and that lie past it
//   (a search goes on only then, so removing one leaves no tombstone), 7 references: the address of a CONN | CONN_REFERENCE_SERVER, scratch.
export const IPVS_BUCKET_SIZE: u32 = 64;
export const IPVS_BUCKET_SLOTS: u32 = 7;
export const IPVS_BUCKET_TAGS: u32 = 0;
export const IPVS_BUCKET_PASSED: u32 = 28;
export const IPVS_BUCKET_ENTRIES: u32 = 32;
export const IPVS_BUCKET_SCRATCH: u32 = 63; // means nothing, as BUCKET_SCRATCH
/** References, at most, a bucket on average: half full. */
export const IPVS_BUCKET_LOAD_MAX: u32 = 3;

// ---- Timer, 16 bytes: a slot of a heap by time. It looks at its connection at `at`, which is never after the connection expires.
//   | at (f64) | address of the CONN | TIMER_TEMPLATE, TIMER_V6 | order |
export const TIMER_SIZE: u32 = 16;
export const TIMER_AT: u32 = 0;
export const TIMER_CONN: u32 = 8;
export const TIMER_ORDER: u32 = 12; // the low word of the CONN's sequence
/** Slots below each one: those of slot n begin at n * TIMER_CHILDREN + 1. */
export const TIMER_CHILDREN: u32 = 4;
export const TIMER_TEMPLATE: u32 = 1;
export const TIMER_V6: u32 = 2;

// ---- Node of the destination cache of lblc and lblcr, 64 bytes: what one service remembers of one destination, or a member of its set.
//   0      4         8          16            24        28       32
//   | next | service | last use | last change | server  | member | address |
export const CACHE_NODE_SIZE: u32 = 64;
export const CACHE_NEXT: u32 = 0; // in the chain of its hash; of a member or a free node: the next one
export const CACHE_SERVICE: u32 = 4;
export const CACHE_LAST_USE: u32 = 8; // f64
export const CACHE_LAST_CHANGE: u32 = 16; // f64, lblcr: when a member came or went
export const CACHE_SERVER: u32 = 24; // lblc, and of a member
export const CACHE_MEMBERS: u32 = 28; // lblcr: the newest member
export const CACHE_ADDRESS: u32 = 32;

// ---- States of connections, the kernel's order.
export const IPVS_TCP_NONE: u32 = 0;
export const IPVS_TCP_ESTABLISHED: u32 = 1;
export const IPVS_TCP_SYN_SENT: u32 = 2;
export const IPVS_TCP_SYN_RECV: u32 = 3;
export const IPVS_TCP_FIN_WAIT: u32 = 4;
export const IPVS_TCP_TIME_WAIT: u32 = 5;
export const IPVS_TCP_CLOSE: u32 = 6;
export const IPVS_TCP_CLOSE_WAIT: u32 = 7;
export const IPVS_TCP_LAST_ACK: u32 = 8;
export const IPVS_TCP_LISTEN: u32 = 9;
export const IPVS_TCP_SYNACK: u32 = 10;
export const IPVS_TCP_STATE_COUNT: u32 = 11;

export const IPVS_UDP: u32 = 1;

export const IPVS_SCTP_NONE: u32 = 0;
export const IPVS_SCTP_ESTABLISHED: u32 = 8;
export const IPVS_SCTP_CLOSED: u32 = 13;
export const IPVS_SCTP_STATE_COUNT: u32 = 14;

export const TEMPLATE_NONE: u32 = 0;
export const TEMPLATE_ASSURED: u32 = 1;

// ---- Packet of IPVS alone: a PACKET of layout.ts, with the hook put to other use.
export const IPVS_PACKET_FLAGS: u32 = 9; // u8, IPVS_PACKET_FLAG_*
export const IPVS_PACKET_FLAG_FROM_SERVER: u32 = 1;
export const IPVS_PACKET_FLAG_ICMP_ERROR: u32 = 2;

// ---- Verdict of IPVS alone, 32 bytes.
//   0        2    4      8        12        16
//   | action | by | port | server | service | address |
export const IPVS_VERDICT_SIZE: u32 = 32;
export const IPVS_VERDICT_ACTION: u32 = 0; // u16, IPVS_*
export const IPVS_VERDICT_BY: u32 = 2; // u16, FORWARD: FORWARD_BY_*, what has chosen the server
export const IPVS_VERDICT_PORT: u32 = 4; // FORWARD: where the packet goes; TRANSLATE: the source that it gets
export const IPVS_VERDICT_SERVER: u32 = 8; // FORWARD: the SERVER
export const IPVS_VERDICT_SERVICE: u32 = 12; // FORWARD of a new connection, and REJECT: the SERVICE; else 0
export const IPVS_VERDICT_ADDRESS: u32 = 16;

/** In the order of Foresight's `by`. */
export const FORWARD_BY_CONNECTION: u32 = 0;
export const FORWARD_BY_TEMPLATE: u32 = 1;
export const FORWARD_BY_SCHEDULER: u32 = 2;

/** The packet is no matter for IPVS. */
export const IPVS_LEAVE: u32 = 0;
export const IPVS_FORWARD: u32 = 1;
export const IPVS_TRANSLATE: u32 = 2;
export const IPVS_REJECT: u32 = 3;
export const IPVS_DROP: u32 = 4;
