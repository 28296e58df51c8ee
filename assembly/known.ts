// Packets of known connections: recorded translation, and the filter chains where the Program could decide otherwise.
import { copyAddress } from "./address.ts";
import { refresh } from "./connection-state.ts";
import { originalTuple, remove, replyTuple } from "./conntrack.ts";
import { flight, setDestination, sourceAddress, virtualAddress } from "./flight.ts";
import { followConnection } from "./ipvs-hook.ts";
import { rootOf } from "./matches.ts";
import { board, comeBackIn, firstPriority } from "./path.ts";
import { runHook } from "./ruleset.ts";
import {
  CT_FLAG_DNAT,
  CT_FLAG_IPVS,
  CT_FLAG_LAST_RST,
  CT_FLAG_MASQUERADE,
  CT_FLAG_SEEN_REPLY,
  CT_FLAG_SNAT,
  CT_PATHS,
} from "./shared/conntrack-layout.ts";
import {
  ACTION_ACCEPT,
  ACTION_DNAT,
  ACTION_NONE,
  CLASS_TCP,
  CONNECTION_ESTABLISHED,
  CONNECTION_REPLY,
  COUNTER_ESTABLISHED,
  COUNTER_REPLY,
  ESTABLISHED_RUN,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  PATH_FORWARD,
  PATH_INPUT,
  PATH_IPVS,
  PATH_LOOPBACK,
  PATH_OUTPUT,
  PRIORITY_FIRST,
  PRIORITY_LAST,
  PRIORITY_NAT_DESTINATION,
  ROOT_ESTABLISHED,
  STATE_BIT_DNAT,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_NEW,
  STATE_BIT_SNAT,
} from "./shared/layout.ts";
import { count, engine } from "./state.ts";
import { CtEntry } from "./structs.ts";
import { KIND_RST, kindOf, STATE_IGNORE } from "./tcp.ts";
import { writeTranslation, writeUntranslated, writeVerdict } from "./verdict.ts";

/** A packet of a known connection: its translation is recorded, nat rules are never asked again. `next`: its state afterwards, or STATE_IGNORE. */
export function processKnown<A>(packet: usize, verdict: usize, entry: usize, isReply: bool, next: u32, header: u32): void {
  const record = changetype<CtEntry>(entry);
  const ofClass: u32 = record.class;
  const had: u32 = record.flags;
  if (next != STATE_IGNORE) refresh(record, isReply, next, header);
  else record.flags = <u16>((had & ~CT_FLAG_LAST_RST) | (isReply ? CT_FLAG_SEEN_REPLY : 0));
  const ownPath: u32 = load<u8>(entry + <usize>isReply, CT_PATHS);
  const isAnswered = isReply || (had & CT_FLAG_SEEN_REPLY) != 0;
  let rules = isAnswered ? load<u32>(rootOf<A>(engine) + ROOT_ESTABLISHED + (ownPath << 2)) : ESTABLISHED_RUN;
  let action: u32 = !isReply && (had & CT_FLAG_DNAT) != 0 ? ACTION_DNAT : ACTION_ACCEPT;
  let servicePort = record.servicePort;
  let isMasquerade = (had & CT_FLAG_MASQUERADE) != 0;
  let ended: u32 = ACTION_NONE; // what becomes of a packet that is not translated
  if (rules == ESTABLISHED_RUN) {
    ended = runKnown<A>(packet, entry, isReply, ownPath, isAnswered ? STATE_BIT_ESTABLISHED : STATE_BIT_NEW);
    rules = flight.rulesEvaluated;
    if (ended != ACTION_NONE) servicePort = flight.servicePort;
  }
  if ((had & CT_FLAG_IPVS) != 0 && ended == ACTION_NONE) {
    ended = followConnection<A>(packet, entry, isReply);
    if (ended != ACTION_NONE) servicePort = 0;
    if (ended == ACTION_ACCEPT) isMasquerade = false;
  }
  if (ended != ACTION_NONE) action = ended;
  const other = isReply ? originalTuple(entry) : replyTuple<A>(entry);
  if (ended == ACTION_NONE) writeTranslation<A>(verdict, other + offsetof<A>(), other, rotl<u32>(load<u32>(other + 2 * offsetof<A>()), 16));
  else writeUntranslated<A>(verdict, packet);
  writeVerdict(verdict, action, isReply ? CONNECTION_REPLY : CONNECTION_ESTABLISHED, isMasquerade, servicePort, rules);
  count(isReply ? COUNTER_REPLY : COUNTER_ESTABLISHED);
  if (ofClass == CLASS_TCP && kindOf(header) == KIND_RST && (had & CT_FLAG_SEEN_REPLY) == 0) remove<A>(entry);
}

/** Runs the filter chains of a known connection's path; to them it is NEW until it is answered. ACTION_NONE: it passes. */
function runKnown<A>(packet: usize, entry: usize, isReply: bool, ownPath: u32, ctstate: u32): u32 {
  board<A>(packet, true);
  const had: u32 = changetype<CtEntry>(entry).flags;
  flight.conntrackState = ctstate;
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
  let action = runHook<A>(HOOK_PREROUTING, false, firstPriority<A>(), PRIORITY_LAST);
  if (action == ACTION_NONE) action = runHook<A>(HOOK_INPUT, false, PRIORITY_FIRST, PRIORITY_LAST);
  if (action != ACTION_NONE) return action;
  takeDestination<A>(other);
  action = runHook<A>(HOOK_OUTPUT, false, PRIORITY_FIRST, PRIORITY_LAST);
  return action != ACTION_NONE ? action : runHook<A>(HOOK_POSTROUTING, false, PRIORITY_FIRST, PRIORITY_LAST);
}

/** nf_nat translates the destination in the first hook. */
function runNatPath<A>(other: usize, ownPath: u32): u32 {
  const isOutput = ownPath == PATH_OUTPUT || ownPath == PATH_LOOPBACK;
  const first = isOutput ? HOOK_OUTPUT : HOOK_PREROUTING;
  let action = runHook<A>(first, false, firstPriority<A>(), PRIORITY_NAT_DESTINATION);
  if (action != ACTION_NONE) return action;
  takeDestination<A>(other);
  action = runHook<A>(first, false, PRIORITY_NAT_DESTINATION, PRIORITY_LAST);
  if (action != ACTION_NONE) return action;
  const second = ownPath == PATH_FORWARD ? HOOK_FORWARD : isOutput ? HOOK_POSTROUTING : HOOK_INPUT;
  action = runHook<A>(second, false, PRIORITY_FIRST, PRIORITY_LAST);
  if (action != ACTION_NONE || ownPath == PATH_INPUT || ownPath == PATH_OUTPUT) return action;
  if (ownPath == PATH_FORWARD) return runHook<A>(HOOK_POSTROUTING, false, PRIORITY_FIRST, PRIORITY_LAST);
  copyAddress<A>(sourceAddress(), other + offsetof<A>());
  flight.sourcePort = load<u32>(other + 2 * offsetof<A>()) >> 16;
  return comeBackIn<A>();
}

/** The destination of a known connection's packet is the source of the other direction. */
function takeDestination<A>(other: usize): void {
  setDestination<A>(other, load<u32>(other + 2 * offsetof<A>()) & 0xffff);
}
