// One packet: conntrack first, then the hooks, then a new conntrack entry. docs/packet-path.md is the specification.

import { copyAddress } from "./address.ts";
import { connectionCount, insert, isFoundReply, lookup, originalTuple, remove, replyTuple, sweep } from "./conntrack.ts";
import { destinationAddress, Flight, flight, sourceAddress, virtualAddress } from "./flight.ts";
import { scheduleConnection } from "./ipvs.ts";
import { isLocal, rootOf } from "./matches.ts";
import { settleSource } from "./nat.ts";
import { runHook } from "./ruleset.ts";
import {
  ACTION_ACCEPT,
  ACTION_DNAT,
  ACTION_DROP,
  ACTION_NONE,
  ACTION_REJECT,
  CLASS_SCTP,
  CLASS_TCP,
  CLASS_UDP,
  CONNECTION_ESTABLISHED,
  CONNECTION_INVALID,
  CONNECTION_NEW,
  CONNECTION_REPLY,
  COUNTER_ACCEPT,
  COUNTER_CONNTRACK_FULL,
  COUNTER_ESTABLISHED,
  COUNTER_INSERT_FAILED,
  COUNTER_INVALID,
  COUNTER_NEW,
  COUNTER_PACKETS,
  COUNTER_REPLY,
  CT_FLAG_ASSURED,
  CT_FLAG_CLOSE_BEGUN,
  CT_FLAG_DNAT,
  CT_FLAG_IPVS,
  CT_FLAG_LAST_RST,
  CT_FLAG_MASQUERADE,
  CT_FLAG_SEEN_REPLY,
  CT_FLAG_SNAT,
  CT_PATH_MASK,
  CT_PATH_ORIGINAL_SHIFT,
  CT_PATH_REPLY_SHIFT,
  ESTABLISHED_RUN,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  INTERFACE_LOOPBACK,
  PACKET_CLASS,
  PACKET_HOOK,
  PACKET_HOOK_DEFAULT,
  PACKET_HOOK_OUTPUT,
  PACKET_INTERFACE,
  PACKET_MARK,
  PACKET_PORTS,
  PACKET_TCP_FLAGS,
  PATH_FORWARD,
  PATH_INPUT,
  PATH_IPVS,
  PATH_LOOPBACK,
  PATH_OUTPUT,
  PRIORITY_IPVS_OUTPUT,
  PRIORITY_NAT_DESTINATION,
  ROOT_ESTABLISHED,
  STATE_BIT_DNAT,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_SNAT,
  TCP_STATE_CLOSE,
  TCP_STATE_ESTABLISHED,
  TCP_STATE_FIN_WAIT,
  TCP_STATE_SYN_RECV,
  TCP_STATE_SYN_SENT,
  TCP_STATE_TIME_WAIT,
  TIMEOUT_SCTP_COOKIE_WAIT,
  TIMEOUT_SCTP_ESTABLISHED,
  TIMEOUT_UDP,
  TIMEOUT_UDP_STREAM,
  VERDICT_ACTION,
  VERDICT_CONNECTION,
  VERDICT_FLAG_MASQUERADE,
  VERDICT_FLAGS,
  VERDICT_PORTS,
  VERDICT_RULES,
  VERDICT_SERVICE_PORT,
  VERDICT_SOURCE,
} from "./shared/layout.ts";
import { count, engine, timeoutOf } from "./state.ts";
import { CtEntry } from "./structs.ts";
import { firstState, KIND_RST, kindOf, nextState, STATE_IGNORE, STATE_INVALID } from "./tcp.ts";

/** From this long after its first packet a replied UDP connection is a stream. */
const UDP_STREAM_AFTER_MS: f64 = 2000;

/** The reply tuple of a connection about to be made. */
const REPLY: usize = memory.data(40, 16);

/** A path through the hooks: set by newPath. */
let path: u32 = 0;

/** Any packet, the whole way. `hash`: that of its tuple. */
export function processPacket<A>(packet: usize, verdict: usize, hash: u64): void {
  const rest = packet + 2 * offsetof<A>();
  const ofClass = load<u32>(rest, PACKET_CLASS);
  const flags: u32 = load<u8>(rest, PACKET_TCP_FLAGS);
  count(COUNTER_PACKETS);
  if (ofClass - CLASS_TCP > CLASS_SCTP - CLASS_TCP) {
    refuseUnknown<A>(packet, verdict);
    return;
  }
  const entry = lookup<A>(packet, ofClass, hash);
  if (entry != 0) {
    const isReply = isFoundReply();
    let next: u32 = 0;
    if (ofClass == CLASS_TCP) {
      next = nextState(isReply, kindOf(flags), changetype<CtEntry>(entry).state);
      if (next == STATE_INVALID) {
        processInvalid<A>(packet, verdict);
        return;
      }
    }
    const isOver = ofClass == CLASS_TCP && next == TCP_STATE_SYN_SENT && isClosed(changetype<CtEntry>(entry));
    if (isOver && mayBeginAgain(changetype<CtEntry>(entry))) {
      remove<A>(entry);
    } else {
      if (isOver) next = STATE_IGNORE;
      processKnown<A>(packet, verdict, entry, isReply, next, flags);
      return;
    }
  }
  let state: u32 = 0;
  if (ofClass == CLASS_TCP) {
    state = firstState(kindOf(flags), engine.tcpLoose != 0);
    if (state == STATE_INVALID) {
      processInvalid<A>(packet, verdict);
      return;
    }
  }
  processNew<A>(packet, verdict, state);
}

function isClosed(entry: CtEntry): bool {
  return entry.state == TCP_STATE_TIME_WAIT || entry.state == TCP_STATE_CLOSE;
}

/** A SYN on a connection that was closed by a FIN, or aborted by its client, begins it again; on others it changes nothing. */
function mayBeginAgain(entry: CtEntry): bool {
  return (entry.flags & (CT_FLAG_CLOSE_BEGUN | CT_FLAG_LAST_RST)) != 0;
}

/** A record whose class is no transport protocol: a caller's mistake, counted as an invalid packet. */
function refuseUnknown<A>(packet: usize, verdict: usize): void {
  writeTranslation<A>(verdict, packet, packet + offsetof<A>(), load<u32>(packet + 2 * offsetof<A>()));
  writeVerdict(verdict, ACTION_DROP, CONNECTION_INVALID, false, 0, 0);
  count(COUNTER_INVALID);
}

function processKnown<A>(packet: usize, verdict: usize, entry: usize, isReply: bool, next: u32, flags: u32): void {
  const record = changetype<CtEntry>(entry);
  const ofClass: u32 = record.class;
  const had: u32 = record.flags;
  if (next != STATE_IGNORE) refresh(record, isReply, next, flags);
  else record.flags = <u16>((had & ~CT_FLAG_LAST_RST) | (isReply ? CT_FLAG_SEEN_REPLY : 0));
  const ownPath = (had >> (isReply ? CT_PATH_REPLY_SHIFT : CT_PATH_ORIGINAL_SHIFT)) & CT_PATH_MASK;
  let rules = load<u32>(rootOf<A>(engine) + ROOT_ESTABLISHED + (ownPath << 2));
  let action: u32 = !isReply && (had & CT_FLAG_DNAT) != 0 ? ACTION_DNAT : ACTION_ACCEPT;
  let servicePort = record.servicePort;
  if (rules == ESTABLISHED_RUN) {
    const refused = runEstablished<A>(packet, entry, isReply, ownPath);
    rules = flight.rulesEvaluated;
    if (refused != ACTION_NONE) {
      action = refused;
      servicePort = flight.servicePort;
    }
  }
  const other = isReply ? originalTuple(entry) : replyTuple<A>(entry);
  if (isReply) record.packetsReply++;
  else record.packetsOriginal++;
  if (action == ACTION_ACCEPT || action == ACTION_DNAT)
    writeTranslation<A>(verdict, other + offsetof<A>(), other, rotl<u32>(load<u32>(other + 2 * offsetof<A>()), 16));
  else writeTranslation<A>(verdict, packet, packet + offsetof<A>(), load<u32>(packet + 2 * offsetof<A>()));
  writeVerdict(verdict, action, isReply ? CONNECTION_REPLY : CONNECTION_ESTABLISHED, (had & CT_FLAG_MASQUERADE) != 0, servicePort, rules);
  count(isReply ? COUNTER_REPLY : COUNTER_ESTABLISHED);
  if (ofClass == CLASS_TCP && kindOf(flags) == KIND_RST && (had & CT_FLAG_SEEN_REPLY) == 0) remove<A>(entry);
}

/** State and timer of a known connection after one more packet. */
function refresh(record: CtEntry, isReply: bool, next: u32, tcpFlags: u32): void {
  let flags: u32 = record.flags;
  const hadReply = (flags & CT_FLAG_SEEN_REPLY) != 0;
  if (isReply) flags |= CT_FLAG_SEEN_REPLY;
  let timeout: f64;
  if (record.class == CLASS_TCP) {
    const kind = kindOf(tcpFlags);
    if (next == TCP_STATE_FIN_WAIT) flags |= CT_FLAG_CLOSE_BEGUN;
    flags &= ~CT_FLAG_LAST_RST;
    if (kind == KIND_RST && !isReply) flags |= CT_FLAG_LAST_RST;
    const before: u32 = record.state;
    if (hadReply && next == TCP_STATE_ESTABLISHED && (before == TCP_STATE_SYN_RECV || before == TCP_STATE_ESTABLISHED))
      flags |= CT_FLAG_ASSURED;
    record.state = <u8>next;
    timeout = timeoutOf(next);
  } else if (record.class == CLASS_UDP) {
    const isStream = hadReply && engine.now - record.startedAt > UDP_STREAM_AFTER_MS;
    if (isStream) flags |= CT_FLAG_ASSURED;
    timeout = timeoutOf(isStream ? TIMEOUT_UDP_STREAM : TIMEOUT_UDP);
  } else {
    const isReplied = hadReply || isReply;
    if (isReplied) {
      flags |= CT_FLAG_ASSURED;
      record.state = <u8>TCP_STATE_ESTABLISHED;
    }
    timeout = timeoutOf(isReplied ? TIMEOUT_SCTP_ESTABLISHED : TIMEOUT_SCTP_COOKIE_WAIT);
  }
  record.flags = <u16>flags;
  record.expiresAt = engine.now + timeout;
}

/** Runs the filter chains of a known connection's path. ACTION_NONE: it passes. */
function runEstablished<A>(packet: usize, entry: usize, isReply: bool, ownPath: u32): u32 {
  board<A>(packet);
  const had: u32 = changetype<CtEntry>(entry).flags;
  flight.conntrackState = STATE_BIT_ESTABLISHED;
  if ((had & CT_FLAG_DNAT) != 0) flight.conntrackState |= STATE_BIT_DNAT;
  if ((had & (CT_FLAG_SNAT | CT_FLAG_MASQUERADE)) != 0) flight.conntrackState |= STATE_BIT_SNAT;
  if ((had & CT_FLAG_IPVS) != 0) {
    flight.isIpvs = true;
    copyAddress<A>(virtualAddress(), originalTuple(entry) + offsetof<A>());
    flight.virtualPort = load<u32>(originalTuple(entry) + 2 * offsetof<A>()) >> 16;
  }
  const other = isReply ? originalTuple(entry) : replyTuple<A>(entry);
  return ownPath == PATH_IPVS ? runIpvsPath<A>(other) : runNatPath<A>(other, ownPath);
}

/** IPVS translates the destination only after INPUT. */
function runIpvsPath<A>(other: usize): u32 {
  let action = runHook<A>(HOOK_PREROUTING, false, i32.MIN_VALUE, i32.MAX_VALUE);
  if (action == ACTION_NONE) action = runHook<A>(HOOK_INPUT, false, i32.MIN_VALUE, i32.MAX_VALUE);
  if (action != ACTION_NONE) return action;
  takeDestination<A>(other);
  action = runHook<A>(HOOK_OUTPUT, false, i32.MIN_VALUE, i32.MAX_VALUE);
  return action != ACTION_NONE ? action : runHook<A>(HOOK_POSTROUTING, false, i32.MIN_VALUE, i32.MAX_VALUE);
}

/** nf_nat translates the destination in the first hook. */
function runNatPath<A>(other: usize, ownPath: u32): u32 {
  const isOutput = ownPath == PATH_OUTPUT || ownPath == PATH_LOOPBACK;
  const first = isOutput ? HOOK_OUTPUT : HOOK_PREROUTING;
  let action = runHook<A>(first, false, i32.MIN_VALUE, PRIORITY_NAT_DESTINATION);
  if (action != ACTION_NONE) return action;
  takeDestination<A>(other);
  action = runHook<A>(first, false, PRIORITY_NAT_DESTINATION, i32.MAX_VALUE);
  if (action != ACTION_NONE) return action;
  const second = ownPath == PATH_FORWARD ? HOOK_FORWARD : isOutput ? HOOK_POSTROUTING : HOOK_INPUT;
  action = runHook<A>(second, false, i32.MIN_VALUE, i32.MAX_VALUE);
  if (action != ACTION_NONE || ownPath == PATH_INPUT || ownPath == PATH_OUTPUT) return action;
  if (ownPath == PATH_FORWARD) return runHook<A>(HOOK_POSTROUTING, false, i32.MIN_VALUE, i32.MAX_VALUE);
  copyAddress<A>(sourceAddress(), other + offsetof<A>());
  flight.sourcePort = load<u32>(other + 2 * offsetof<A>()) >> 16;
  return comeBackIn<A>();
}

/** The destination of a known connection's packet is the source of the other direction. */
function takeDestination<A>(other: usize): void {
  copyAddress<A>(destinationAddress(), other);
  flight.destinationPort = load<u32>(other + 2 * offsetof<A>()) & 0xffff;
}

/** The packet becomes the one in flight. */
function board<A>(packet: usize): void {
  memory.fill(changetype<usize>(flight), 0, offsetof<Flight>());
  copyAddress<A>(sourceAddress(), packet);
  copyAddress<A>(destinationAddress(), packet + offsetof<A>());
  const rest = packet + 2 * offsetof<A>();
  const ports = load<u32>(rest, PACKET_PORTS);
  flight.sourcePort = ports & 0xffff;
  flight.destinationPort = ports >> 16;
  flight.class = load<u32>(rest, PACKET_CLASS);
  flight.mark = load<u32>(rest, PACKET_MARK);
  flight.interface = load<u16>(rest, PACKET_INTERFACE);
}

function processInvalid<A>(packet: usize, verdict: usize): void {
  board<A>(packet);
  flight.conntrackState = STATE_BIT_INVALID;
  const refused = newPath<A>(packet, false);
  writeTranslation<A>(verdict, packet, packet + offsetof<A>(), load<u32>(packet + 2 * offsetof<A>()));
  writeVerdict(
    verdict,
    refused == ACTION_NONE ? ACTION_ACCEPT : refused,
    CONNECTION_INVALID,
    false,
    refused == ACTION_NONE ? flight.acceptedServicePort : flight.servicePort,
    flight.rulesEvaluated,
  );
  count(COUNTER_INVALID);
}

function processNew<A>(packet: usize, verdict: usize, state: u32): void {
  board<A>(packet);
  let action: u32 = ACTION_NONE;
  if (connectionCount() >= engine.conntrackMax) sweep();
  if (connectionCount() >= engine.conntrackMax) {
    count(COUNTER_CONNTRACK_FULL);
    action = ACTION_DROP;
  } else {
    flight.conntrackState = STATE_BIT_NEW;
    action = newPath<A>(packet, true);
    if (action == ACTION_NONE) action = confirm<A>(packet, state);
  }
  const isRefused = action == ACTION_DROP || action == ACTION_REJECT;
  if (isRefused) writeTranslation<A>(verdict, packet, packet + offsetof<A>(), load<u32>(packet + 2 * offsetof<A>()));
  else writeTranslation<A>(verdict, sourceAddress(), destinationAddress(), flight.sourcePort | (flight.destinationPort << 16));
  const servicePort = isRefused || flight.isDnat ? flight.servicePort : flight.acceptedServicePort;
  writeVerdict(verdict, action, CONNECTION_NEW, !isRefused && flight.isMasquerade, servicePort, flight.rulesEvaluated);
}

/** The way of a packet of no known connection through the hooks. ACTION_NONE: it got through; `path` says where. */
function newPath<A>(packet: usize, isNew: bool): u32 {
  const hook: u32 = load<u8>(packet + 2 * offsetof<A>(), PACKET_HOOK);
  flight.isSourceLocal = isLocal<A>(sourceAddress());
  if (hook == PACKET_HOOK_OUTPUT || (hook == PACKET_HOOK_DEFAULT && flight.isSourceLocal)) return outputPath<A>(isNew);
  let action = runHook<A>(HOOK_PREROUTING, isNew, i32.MIN_VALUE, i32.MAX_VALUE);
  if (action != ACTION_NONE) return action;
  if (!routesHere<A>()) {
    path = PATH_FORWARD;
    action = runHook<A>(HOOK_FORWARD, isNew, i32.MIN_VALUE, i32.MAX_VALUE);
    return action != ACTION_NONE ? action : runHook<A>(HOOK_POSTROUTING, isNew, i32.MIN_VALUE, i32.MAX_VALUE);
  }
  path = PATH_INPUT;
  action = runHook<A>(HOOK_INPUT, isNew, i32.MIN_VALUE, i32.MAX_VALUE);
  if (action != ACTION_NONE || !isNew) return action;
  action = scheduleConnection<A>();
  if (action != ACTION_DNAT) return action;
  path = PATH_IPVS;
  routesHere<A>();
  action = runHook<A>(HOOK_OUTPUT, false, i32.MIN_VALUE, i32.MAX_VALUE);
  return action != ACTION_NONE ? action : runHook<A>(HOOK_POSTROUTING, true, i32.MIN_VALUE, i32.MAX_VALUE);
}

/** Routing: the present destination is an address of this node. */
function routesHere<A>(): bool {
  flight.isDestinationLocal = isLocal<A>(destinationAddress());
  return flight.isDestinationLocal;
}

function outputPath<A>(isNew: bool): u32 {
  path = PATH_OUTPUT;
  let action = runHook<A>(HOOK_OUTPUT, isNew, i32.MIN_VALUE, PRIORITY_IPVS_OUTPUT);
  if (action != ACTION_NONE) return action;
  if (isNew) {
    action = scheduleConnection<A>();
    if (action != ACTION_NONE && action != ACTION_DNAT) return action;
  }
  action = runHook<A>(HOOK_OUTPUT, isNew, PRIORITY_IPVS_OUTPUT, i32.MAX_VALUE);
  if (action != ACTION_NONE) return action;
  action = runHook<A>(HOOK_POSTROUTING, isNew, i32.MIN_VALUE, i32.MAX_VALUE);
  if (action != ACTION_NONE || !routesHere<A>()) return action;
  path = PATH_LOOPBACK;
  if (isNew && !settleSource<A>(REPLY)) return insertFailed();
  return comeBackIn<A>();
}

/** A node's packet to itself comes back in through lo. nat is not asked again: the connection has its answers. */
function comeBackIn<A>(): u32 {
  flight.interface = INTERFACE_LOOPBACK;
  const action = runHook<A>(HOOK_PREROUTING, false, i32.MIN_VALUE, i32.MAX_VALUE);
  return action != ACTION_NONE ? action : runHook<A>(HOOK_INPUT, false, i32.MIN_VALUE, i32.MAX_VALUE);
}

function insertFailed(): u32 {
  count(COUNTER_INSERT_FAILED);
  return ACTION_DROP;
}

/** Enters the connection of a packet that got through. */
function confirm<A>(packet: usize, state: u32): u32 {
  if (!settleSource<A>(REPLY)) return insertFailed();
  const entry = insert<A>(flight.class, packet, REPLY);
  const record = changetype<CtEntry>(entry);
  const fromHere = flight.isSourceLocal;
  const toHere = flight.isDestinationLocal; // where replies begin
  const replyPath = fromHere ? (toHere ? PATH_LOOPBACK : PATH_INPUT) : toHere ? PATH_OUTPUT : PATH_FORWARD;
  let flags: u32 = (path << CT_PATH_ORIGINAL_SHIFT) | (replyPath << CT_PATH_REPLY_SHIFT);
  if (flight.isMasquerade) flags |= CT_FLAG_MASQUERADE;
  if (flight.newSource != 0) flags |= CT_FLAG_SNAT;
  if (flight.isDnat) flags |= CT_FLAG_DNAT;
  if (flight.isIpvs) flags |= CT_FLAG_IPVS;
  record.flags = <u16>flags;
  record.servicePort = flight.isDnat ? flight.servicePort : flight.acceptedServicePort;
  record.startedAt = engine.now;
  record.packetsOriginal = 1;
  let timeout = timeoutOf(TIMEOUT_UDP);
  if (flight.class == CLASS_TCP) {
    record.state = <u8>state;
    timeout = timeoutOf(state);
  } else if (flight.class != CLASS_UDP) {
    record.state = <u8>TCP_STATE_SYN_SENT;
    timeout = timeoutOf(TIMEOUT_SCTP_COOKIE_WAIT);
  }
  record.expiresAt = engine.now + timeout;
  count(COUNTER_NEW);
  return flight.isDnat ? ACTION_DNAT : ACTION_ACCEPT;
}

function writeTranslation<A>(verdict: usize, source: usize, destination: usize, ports: u32): void {
  store<u32>(verdict, ports, VERDICT_PORTS);
  copyAddress<A>(verdict + VERDICT_SOURCE, source);
  copyAddress<A>(verdict + VERDICT_SOURCE + offsetof<A>(), destination);
}

function writeVerdict(verdict: usize, action: u32, connection: u32, isMasquerade: bool, servicePort: u32, rules: u32): void {
  store<u8>(verdict, <u8>action, VERDICT_ACTION);
  store<u8>(verdict, <u8>connection, VERDICT_CONNECTION);
  store<u16>(verdict, isMasquerade ? <u16>VERDICT_FLAG_MASQUERADE : 0, VERDICT_FLAGS);
  store<u32>(verdict, servicePort, VERDICT_SERVICE_PORT);
  store<u32>(verdict, rules, VERDICT_RULES);
  count(COUNTER_ACCEPT + action - ACTION_ACCEPT);
}
