// The memory of connection tracking: states, the index, entries. As layout.ts, whose version covers it.

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

// ---- SCTP states, nf_conntrack's order.
export const SCTP_STATE_NONE: u32 = 0;
export const SCTP_STATE_CLOSED: u32 = 1;
export const SCTP_STATE_COOKIE_WAIT: u32 = 2;
export const SCTP_STATE_COOKIE_ECHOED: u32 = 3;
export const SCTP_STATE_ESTABLISHED: u32 = 4;
export const SCTP_STATE_SHUTDOWN_SENT: u32 = 5;
export const SCTP_STATE_SHUTDOWN_RECD: u32 = 6;
export const SCTP_STATE_SHUTDOWN_ACK_SENT: u32 = 7;
export const SCTP_STATE_HEARTBEAT_SENT: u32 = 8;
export const SCTP_STATE_COUNT: u32 = 9;

// ---- Connection tracking, one table a family: an index of buckets, one cache line each, over dense entries.
// Both regions are reserved for the most connections there may be; pages that nobody touched cost nothing. The index grows in
// place, by linear hashing: bucket after bucket is split, so that growing never pauses and nothing is ever moved as a whole.
//   Table, 64 bytes; sizes of the index in bytes, so that masks and hashes give places in it:
//   0       4          8      12         16           20            24             28
//   | index | low mask | live | live max | overflow   | its end     | its high w.  | its first free |
//   32        36      40           44           48      52
//   | entries | limit | high water | first free | count | hand | 0 |
export const CT_TABLE_SIZE: u32 = 64;
export const CT_TABLE_INDEX: u32 = 0;
export const CT_TABLE_LOW_MASK: u32 = 4; // (buckets when this doubling began - 1) * BUCKET_SIZE, buckets a power of two
export const CT_TABLE_LIVE: u32 = 8; // those and the ones split off since
export const CT_TABLE_LIVE_MAX: u32 = 12; // a power of two of buckets
export const CT_TABLE_OVERFLOW: u32 = 16; // buckets for tuples that find theirs full
export const CT_TABLE_OVERFLOW_END: u32 = 20;
export const CT_TABLE_OVERFLOW_HIGH_WATER: u32 = 24;
export const CT_TABLE_OVERFLOW_FREE: u32 = 28; // address of the first free one below high water; 0: none
export const CT_TABLE_ENTRIES: u32 = 32;
export const CT_TABLE_LIMIT: u32 = 36; // entries that fit
export const CT_TABLE_HIGH_WATER: u32 = 40; // entries ever used
export const CT_TABLE_FREE: u32 = 44; // number + 1 of the first free entry below high water; 0: none
export const CT_TABLE_COUNT: u32 = 48;
export const CT_TABLE_HAND: u32 = 52; // number of the entry that is looked at next for one that may go

//   Bucket, 64 bytes: 7 tags (0: empty), the address of its overflow bucket (0: none; only full buckets have one), 7 entry numbers
//   (bit 31: reply tuple), scratch. A tag is the hash of a tuple with bit 0 set; it also says which bucket is the tuple's: splitting one
//   reads no entry.
export const BUCKET_SIZE: u32 = 64;
export const BUCKET_SLOTS: u32 = 7;
export const BUCKET_TAGS: u32 = 0;
export const BUCKET_NEXT: u32 = 28; // also links free overflow buckets
export const BUCKET_ENTRIES: u32 = 32;
export const BUCKET_SCRATCH: u32 = 63; // a byte that means nothing: storing 0 there fetches the line ahead of its use
export const BUCKET_REPLY: u32 = 0x80000000;
/** Tuples a bucket on average when the next doubling begins. */
export const BUCKET_LOAD_MAX: u32 = 5;
/** Buckets that one new connection splits during a doubling. */
export const BUCKETS_SPLIT: u32 = 4;

/** Entries that each new connection looks at for an expired one. */
export const COLLECT_RANGE: u32 = 4;
/** Entries that are looked at for one that may go when the table is full (NF_CT_EVICTION_RANGE is in buckets). */
export const EVICTION_RANGE: u32 = 32;
export const ROOM_FREE: u32 = 1; // instead of an entry's address: there is room, and nobody has to go

//   Entry, 64 bytes (IPv4), 128 bytes (IPv6), on cache lines. Free when CLASS is 0.
//   0       1       2       4              8            16           24        28        32        33      36         36+2a+4  36+t     36+t+2a+4
//   | class | state | flags | service port | expires at | started at | packets | replies | scratch | paths | original | 0      | reply  | 0 |
//   A tuple: | source | destination | ports |; t, from one to the other, is 16 bytes (IPv4) or 48 (IPv6).
export const CT_SIZE_V4: u32 = 64;
export const CT_SIZE_V6: u32 = 128;
export const CT_CLASS: u32 = 0; // u8
export const CT_STATE: u32 = 1; // u8, TCP_STATE_* or SCTP_STATE_*
export const CT_FLAGS: u32 = 2; // u16, CT_FLAG_*
export const CT_SERVICE_PORT: u32 = 4;
export const CT_EXPIRES_AT: u32 = 8; // f64, milliseconds
export const CT_STARTED_AT: u32 = 16; // f64, milliseconds
export const CT_PACKETS_ORIGINAL: u32 = 24;
export const CT_PACKETS_REPLY: u32 = 28;
export const CT_SCRATCH: u32 = 32; // means nothing, as BUCKET_SCRATCH
export const CT_SCRATCH_V6: u32 = 72; // of an IPv6 entry's second line
export const CT_PATHS: u32 = 33; // u8 each, PATH_* of packets with the original tuple, and of replies
export const CT_ORIGINAL: u32 = 36;
/** Where its connection in IPVS was found last, a CONN; 0: nowhere yet. No more than a hint: it may have become another one's. */
export const CT_IPVS_V4: u32 = 48;
export const CT_IPVS_V6: u32 = 76;
export const CT_REPLY_AFTER_V4: u32 = 16;
export const CT_REPLY_AFTER_V6: u32 = 48;
export const CT_NEXT_FREE: u32 = 4; // of a free entry, number + 1 of the next one

export const CT_FLAG_SEEN_REPLY: u32 = 1;
export const CT_FLAG_ASSURED: u32 = 2;
export const CT_FLAG_MASQUERADE: u32 = 4;
export const CT_FLAG_DNAT: u32 = 8;
export const CT_FLAG_SNAT: u32 = 16;
export const CT_FLAG_CLOSE_BEGUN: u32 = 32; // a FIN has taken it to FIN_WAIT
export const CT_FLAG_SIMULTANEOUS_OPEN: u32 = 64; // SYN_SENT2 was reached
export const CT_FLAG_LAST_RST: u32 = 128;
export const CT_FLAG_IPVS: u32 = 256; // the destination was chosen by IPVS, for the original destination
