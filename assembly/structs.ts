// Named views of the records that the core reads and writes most, proven to agree with layout.ts while compiling.
// A record's view is changetype<T>(address): no allocation, no copy.
import {
  CT_CLASS,
  CT_EXPIRES_AT,
  CT_FLAGS,
  CT_ORIGINAL,
  CT_PACKETS_ORIGINAL,
  CT_PACKETS_REPLY,
  CT_PATHS,
  CT_SCRATCH,
  CT_SERVICE_PORT,
  CT_STARTED_AT,
  CT_STATE,
  CT_TABLE_COUNT,
  CT_TABLE_ENTRIES,
  CT_TABLE_FREE,
  CT_TABLE_HAND,
  CT_TABLE_HIGH_WATER,
  CT_TABLE_INDEX,
  CT_TABLE_LIMIT,
  CT_TABLE_LIVE,
  CT_TABLE_LIVE_MAX,
  CT_TABLE_LOW_MASK,
  CT_TABLE_OVERFLOW,
  CT_TABLE_OVERFLOW_END,
  CT_TABLE_OVERFLOW_FREE,
  CT_TABLE_OVERFLOW_HIGH_WATER,
  CT_TABLE_SIZE,
} from "./shared/conntrack-layout.ts";
import {
  RULE_A,
  RULE_B,
  RULE_C,
  RULE_MATCH_COUNT,
  RULE_MATCHES,
  RULE_SERVICE_PORT,
  RULE_SIZE,
  RULE_TARGET,
  STATE_CONNTRACK_MAX,
  STATE_INTERFACES,
  STATE_IPVS,
  STATE_NOW,
  STATE_RANDOM,
  STATE_ROOT_V4,
  STATE_ROOT_V6,
  STATE_TCP_LOOSE,
} from "./shared/layout.ts";

@unmanaged
export class EngineState {
  now: f64 = 0;
  ipvs: u32 = 0;
  spare: u32 = 0;
  random: u32 = 0;
  conntrackMax: u32 = 0;
  interfaces: u32 = 0;
  tcpLoose: u32 = 0;
  timeouts0: u64 = 0;
  timeouts1: u64 = 0;
  timeouts2: u64 = 0;
  timeouts3: u64 = 0;
  timeouts4: u64 = 0;
  timeouts5: u64 = 0;
  timeouts6: u64 = 0;
  timeouts7: u64 = 0;
  timeouts8: u64 = 0;
  timeouts9: u64 = 0;
  timeouts10: u64 = 0;
  rootV4: u32 = 0;
  rootV6: u32 = 0;
}
if (offsetof<EngineState>("now") != STATE_NOW) ERROR("EngineState.now is not at STATE_NOW");
if (offsetof<EngineState>("ipvs") != STATE_IPVS) ERROR("EngineState.ipvs is not at STATE_IPVS");
if (offsetof<EngineState>("random") != STATE_RANDOM) ERROR("EngineState.random is not at STATE_RANDOM");
if (offsetof<EngineState>("conntrackMax") != STATE_CONNTRACK_MAX) ERROR("EngineState.conntrackMax is not at STATE_CONNTRACK_MAX");
if (offsetof<EngineState>("interfaces") != STATE_INTERFACES) ERROR("EngineState.interfaces is not at STATE_INTERFACES");
if (offsetof<EngineState>("tcpLoose") != STATE_TCP_LOOSE) ERROR("EngineState.tcpLoose is not at STATE_TCP_LOOSE");
if (offsetof<EngineState>("rootV4") != STATE_ROOT_V4) ERROR("EngineState.rootV4 is not at STATE_ROOT_V4");
if (offsetof<EngineState>("rootV6") != STATE_ROOT_V6) ERROR("EngineState.rootV6 is not at STATE_ROOT_V6");

@unmanaged
export class Rule {
  target: u32 = 0;
  a: u32 = 0;
  b: u32 = 0;
  matches: u32 = 0;
  matchCount: u32 = 0;
  servicePort: u32 = 0;
  c: u32 = 0;
  spare: u32 = 0;
}
if (offsetof<Rule>("target") != RULE_TARGET) ERROR("Rule.target is not at RULE_TARGET");
if (offsetof<Rule>("a") != RULE_A) ERROR("Rule.a is not at RULE_A");
if (offsetof<Rule>("b") != RULE_B) ERROR("Rule.b is not at RULE_B");
if (offsetof<Rule>("matches") != RULE_MATCHES) ERROR("Rule.matches is not at RULE_MATCHES");
if (offsetof<Rule>("c") != RULE_C) ERROR("Rule.c is not at RULE_C");
if (offsetof<Rule>("matchCount") != RULE_MATCH_COUNT) ERROR("Rule.matchCount is not at RULE_MATCH_COUNT");
if (offsetof<Rule>("servicePort") != RULE_SERVICE_PORT) ERROR("Rule.servicePort is not at RULE_SERVICE_PORT");
if (offsetof<Rule>() != RULE_SIZE) ERROR("Rule is not RULE_SIZE bytes");

@unmanaged
export class CtTable {
  index: u32 = 0;
  lowMask: u32 = 0;
  live: u32 = 0;
  liveMax: u32 = 0;
  overflow: u32 = 0;
  overflowEnd: u32 = 0;
  overflowHighWater: u32 = 0;
  overflowFree: u32 = 0;
  entries: u32 = 0;
  limit: u32 = 0;
  highWater: u32 = 0;
  free: u32 = 0;
  count: u32 = 0;
  hand: u32 = 0;
  spare: u64 = 0;
}
if (offsetof<CtTable>("index") != CT_TABLE_INDEX) ERROR("CtTable.index is not at CT_TABLE_INDEX");
if (offsetof<CtTable>("lowMask") != CT_TABLE_LOW_MASK) ERROR("CtTable.lowMask is not at CT_TABLE_LOW_MASK");
if (offsetof<CtTable>("live") != CT_TABLE_LIVE) ERROR("CtTable.live is not at CT_TABLE_LIVE");
if (offsetof<CtTable>("liveMax") != CT_TABLE_LIVE_MAX) ERROR("CtTable.liveMax is not at CT_TABLE_LIVE_MAX");
if (offsetof<CtTable>("overflow") != CT_TABLE_OVERFLOW) ERROR("CtTable.overflow is not at CT_TABLE_OVERFLOW");
if (offsetof<CtTable>("overflowEnd") != CT_TABLE_OVERFLOW_END) ERROR("CtTable.overflowEnd is not at CT_TABLE_OVERFLOW_END");
if (offsetof<CtTable>("overflowHighWater") != CT_TABLE_OVERFLOW_HIGH_WATER)
  ERROR("CtTable.overflowHighWater is not at CT_TABLE_OVERFLOW_HIGH_WATER");
if (offsetof<CtTable>("overflowFree") != CT_TABLE_OVERFLOW_FREE) ERROR("CtTable.overflowFree is not at CT_TABLE_OVERFLOW_FREE");
if (offsetof<CtTable>("entries") != CT_TABLE_ENTRIES) ERROR("CtTable.entries is not at CT_TABLE_ENTRIES");
if (offsetof<CtTable>("limit") != CT_TABLE_LIMIT) ERROR("CtTable.limit is not at CT_TABLE_LIMIT");
if (offsetof<CtTable>("highWater") != CT_TABLE_HIGH_WATER) ERROR("CtTable.highWater is not at CT_TABLE_HIGH_WATER");
if (offsetof<CtTable>("free") != CT_TABLE_FREE) ERROR("CtTable.free is not at CT_TABLE_FREE");
if (offsetof<CtTable>("count") != CT_TABLE_COUNT) ERROR("CtTable.count is not at CT_TABLE_COUNT");
if (offsetof<CtTable>("hand") != CT_TABLE_HAND) ERROR("CtTable.hand is not at CT_TABLE_HAND");
if (offsetof<CtTable>() != CT_TABLE_SIZE) ERROR("CtTable is not CT_TABLE_SIZE bytes");

/** The part of a connection that both families share; the tuples follow at CT_ORIGINAL. */
@unmanaged
export class CtEntry {
  class: u8 = 0;
  state: u8 = 0;
  flags: u16 = 0;
  servicePort: u32 = 0;
  expiresAt: f64 = 0;
  startedAt: f64 = 0;
  packetsOriginal: u32 = 0;
  packetsReply: u32 = 0;
  scratch: u8 = 0;
  pathOriginal: u8 = 0;
  pathReply: u8 = 0;
  spare: u8 = 0;
}
if (offsetof<CtEntry>("class") != CT_CLASS) ERROR("CtEntry.class is not at CT_CLASS");
if (offsetof<CtEntry>("state") != CT_STATE) ERROR("CtEntry.state is not at CT_STATE");
if (offsetof<CtEntry>("flags") != CT_FLAGS) ERROR("CtEntry.flags is not at CT_FLAGS");
if (offsetof<CtEntry>("servicePort") != CT_SERVICE_PORT) ERROR("CtEntry.servicePort is not at CT_SERVICE_PORT");
if (offsetof<CtEntry>("expiresAt") != CT_EXPIRES_AT) ERROR("CtEntry.expiresAt is not at CT_EXPIRES_AT");
if (offsetof<CtEntry>("startedAt") != CT_STARTED_AT) ERROR("CtEntry.startedAt is not at CT_STARTED_AT");
if (offsetof<CtEntry>("scratch") != CT_SCRATCH) ERROR("CtEntry.scratch is not at CT_SCRATCH");
if (offsetof<CtEntry>("pathOriginal") != CT_PATHS) ERROR("CtEntry.pathOriginal is not at CT_PATHS");
if (offsetof<CtEntry>("packetsOriginal") != CT_PACKETS_ORIGINAL) ERROR("CtEntry.packetsOriginal is not at CT_PACKETS_ORIGINAL");
if (offsetof<CtEntry>("packetsReply") != CT_PACKETS_REPLY) ERROR("CtEntry.packetsReply is not at CT_PACKETS_REPLY");
if (offsetof<CtEntry>() != CT_ORIGINAL) ERROR("CtEntry does not end where the tuples begin");
