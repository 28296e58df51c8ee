// The memory of frames: rings, the record of each frame, and what the core counts about frames. As layout.ts, whose version covers it.

// ---- Frame ring, 32 bytes, written by TypeScript.
//   0       4        8         12      16         20      24
//   | slots | stride | records | flags | transmit | count | 0 |
export const RING_SIZE: u32 = 32;
export const RING_SLOTS: u32 = 0;
export const RING_STRIDE: u32 = 4; // bytes from one slot to the next, an odd multiple of SLOT_ALIGNMENT
export const RING_RECORDS: u32 = 8;
export const RING_FLAGS: u32 = 12; // RING_FLAG_*
export const RING_TRANSMIT: u32 = 16; // the ring that frames leave through; 0: they are rewritten in place
export const RING_COUNT: u32 = 20; // of a transmit ring: frames that left so far

/** Frames begin with the IP header, not with an Ethernet one. */
export const RING_FLAG_RAW_IP: u32 = 1;
/** Fragments pass as they are instead of being dropped. */
export const RING_FLAG_PASS_FRAGMENTS: u32 = 2;

/** A frame begins here in its slot, so that the IP header behind 14 bytes of Ethernet lies on a word. */
export const SLOT_FRAME: u32 = 2;
export const SLOT_ALIGNMENT: u32 = 64;

// ---- Frame record, 32 bytes: the first half written by the caller, the second by the engine.
//   0        4             8                   12     16                            20             24     28
//   | length | wire length | 0 hook interface  | mark | action connection flags kind | service port | peer | rules |
export const FRAME_SIZE: u32 = 32;
export const FRAME_LENGTH: u32 = 0; // bytes that are there
export const FRAME_WIRE_LENGTH: u32 = 4; // bytes it had on the wire; 0: as many as are there
export const FRAME_HOOK: u32 = 9; // u8, PACKET_HOOK_*
export const FRAME_INTERFACE: u32 = 10; // u16, the number of an interface name
export const FRAME_MARK: u32 = 12;
export const FRAME_ACTION: u32 = 16; // u8, ACTION_*
export const FRAME_CONNECTION: u32 = 17; // u8, CONNECTION_*; 0 for frames that are no packet of a connection
export const FRAME_FLAGS: u32 = 18; // u8, VERDICT_FLAG_*
export const FRAME_KIND: u32 = 19; // u8, KIND_*
export const FRAME_SERVICE_PORT: u32 = 20;
export const FRAME_PEER: u32 = 24; // its number in the transmit ring, there its number in the ring it came from; or PEER_NONE
export const FRAME_RULES: u32 = 28;
export const PEER_NONE: u32 = 0xffffffff;

// What a frame turned out to be.
export const KIND_NONE: u32 = 0; // not processed yet
export const KIND_PACKET: u32 = 1; // TCP, UDP or SCTP: the verdict decided
export const KIND_RELATED: u32 = 2; // an ICMP error about a tracked connection
export const KIND_UNRELATED: u32 = 3; // an ICMP error about none: passes
export const KIND_NOT_IP: u32 = 4; // passes
export const KIND_OTHER_PROTOCOL: u32 = 5; // passes
export const KIND_FRAGMENT: u32 = 6; // dropped, or passes with RING_FLAG_PASS_FRAGMENTS
export const KIND_TRUNCATED: u32 = 7; // ends before its headers do: dropped
export const KIND_MALFORMED: u32 = 8; // its headers contradict themselves: dropped
export const KIND_BAD_CHECKSUM: u32 = 9; // of the IPv4 header: dropped
export const KIND_COUNT: u32 = 10;

// ---- What the core keeps about frames.   | traffic | traffic limit | u64 counters by KIND_* |
export const FRAMES_TRAFFIC: u32 = 0; // TRAFFIC records by number of the ServicePort
export const FRAMES_TRAFFIC_LIMIT: u32 = 4; // how many
export const FRAMES_COUNTERS: u32 = 8;
export const FRAMES_SIZE: u32 = 88;

// ---- Traffic of a ServicePort, 32 bytes, u64 each: what passed in either direction.   | packets | bytes | replies | reply bytes |
export const TRAFFIC_SIZE: u32 = 32;
export const TRAFFIC_PACKETS: u32 = 0;
export const TRAFFIC_BYTES: u32 = 8; // of IP packets, as conntrack accounts them
export const TRAFFIC_REPLY_PACKETS: u32 = 16;
export const TRAFFIC_REPLY_BYTES: u32 = 24;

// ---- Numbers of the wire.
export const ETHERNET_HEADER: u32 = 14;
export const VLAN_TAG: u32 = 4;
export const VLAN_TAGS_MAX: u32 = 2; // 802.1Q, or 802.1ad with 802.1Q inside
export const IPV4_HEADER: u32 = 20;
export const IPV6_HEADER: u32 = 40;
export const TCP_HEADER: u32 = 20;
export const UDP_HEADER: u32 = 8;
export const SCTP_HEADER: u32 = 12;
export const CHUNK_HEADER: u32 = 4;
/** Chunks of an SCTP packet that are looked at. */
export const CHUNKS_MAX: u32 = 8;
export const ICMP_HEADER: u32 = 8;
/** Of the packet that an ICMP error is about, this much of the transport header is there (RFC 792). */
export const QUOTED_TRANSPORT: u32 = 8;

export const PROTOCOL_ICMP: u32 = 1;
export const PROTOCOL_TCP: u32 = 6;
export const PROTOCOL_UDP: u32 = 17;
export const PROTOCOL_ICMPV6: u32 = 58;
export const PROTOCOL_SCTP: u32 = 132;

export const EXTENSION_HOP_BY_HOP: u32 = 0;
export const EXTENSION_ROUTING: u32 = 43;
export const EXTENSION_FRAGMENT: u32 = 44;
export const EXTENSION_AUTHENTICATION: u32 = 51;
export const EXTENSION_DESTINATION: u32 = 60;
export const EXTENSION_MOBILITY: u32 = 135;

/** Where transport headers keep their checksums. */
export const TCP_CHECKSUM: u32 = 16;
export const UDP_CHECKSUM: u32 = 6;
export const SCTP_CHECKSUM: u32 = 8;

export const ICMP_REDIRECT: u32 = 5;
/** Bit t is set for each ICMP type t that is an error about another packet: 3, 4, 5, 11, 12. */
export const ICMP_ERRORS: u32 = 0x1838;
/** The same for ICMPv6: 1, 2, 3, 4. */
export const ICMPV6_ERRORS: u32 = 0x1e;
