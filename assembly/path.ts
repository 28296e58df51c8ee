// A new or invalid packet's way through the hooks, with routing and IPVS between them. docs/packet-path.md is the specification.
import { copyAddress } from "./address.ts";
import { clearFlight, flight, setDestination, sourceAddress } from "./flight.ts";
import { scheduleConnection } from "./ipvs-hook.ts";
import { isDestinationLocal, isLocal, rootOf } from "./matches.ts";
import { settleSource } from "./nat.ts";
import { runHook } from "./ruleset.ts";
import {
  ACTION_DNAT,
  ACTION_DROP,
  ACTION_NONE,
  COUNTER_INSERT_FAILED,
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
  PATH_FORWARD,
  PATH_INPUT,
  PATH_IPVS,
  PATH_LOOPBACK,
  PATH_OUTPUT,
  PRIORITY_CONNTRACK,
  PRIORITY_FIRST,
  PRIORITY_IPVS_OUTPUT,
  PRIORITY_LAST,
  ROOT_FIRST_PRIORITY,
  STATE_BIT_INVALID,
} from "./shared/layout.ts";
import { count, engine } from "./state.ts";

/** The reply tuple of a connection about to be made. */
export const REPLY: usize = memory.data(40, 16);

/** PATH_* of the packet that newPath let through. */
let path: u32 = 0;

export function pathTaken(): u32 {
  return path;
}

/** The packet becomes the one in flight. `again`: not where it is that already, and chains before conntrack have left their mark on it. */
export function board<A>(packet: usize, again: bool): void {
  if (again && isAskedBeforeConntrack<A>()) return;
  clearFlight();
  copyAddress<A>(sourceAddress(), packet);
  const rest = packet + 2 * offsetof<A>();
  const ports = load<u32>(rest, PACKET_PORTS);
  flight.sourcePort = ports & 0xffff;
  flight.class = load<u32>(rest, PACKET_CLASS);
  setDestination<A>(packet + offsetof<A>(), ports >> 16);
  flight.mark = load<u32>(rest, PACKET_MARK);
  flight.interface = load<u16>(rest, PACKET_INTERFACE);
}

/** Chains before conntrack have a say: a packet meets them before its connection is looked up. */
export function isAskedBeforeConntrack<A>(): bool {
  return firstPriority<A>() != PRIORITY_FIRST;
}

/** The packet in flight meets those chains: INVALID to their matches, and UNTRACKED from a `CT --notrack` on. */
export function runBeforeConntrack<A>(packet: usize): u32 {
  flight.conntrackState = STATE_BIT_INVALID;
  return runHook<A>(startsAtOutput<A>(packet) ? HOOK_OUTPUT : HOOK_PREROUTING, false, PRIORITY_FIRST, PRIORITY_CONNTRACK);
}

/** Where the chains of the first hook begin that the packet has not met yet. */
export function firstPriority<A>(): i32 {
  return load<i32>(rootOf<A>(engine), ROOT_FIRST_PRIORITY);
}

function startsAtOutput<A>(packet: usize): bool {
  const hook: u32 = load<u8>(packet + 2 * offsetof<A>(), PACKET_HOOK);
  flight.isSourceLocal = isLocal<A>(sourceAddress());
  return hook == PACKET_HOOK_OUTPUT || (hook == PACKET_HOOK_DEFAULT && flight.isSourceLocal);
}

/** The way of a packet of no known connection through the hooks. ACTION_NONE: it got through; pathTaken() says where. */
export function newPath<A>(packet: usize, isNew: bool): u32 {
  if (startsAtOutput<A>(packet)) return outputPath<A>(packet, isNew);
  let action = runHook<A>(HOOK_PREROUTING, isNew, firstPriority<A>(), PRIORITY_LAST);
  if (action != ACTION_NONE) return action;
  if (!routesHere<A>()) {
    path = PATH_FORWARD;
    action = runHook<A>(HOOK_FORWARD, isNew, PRIORITY_FIRST, PRIORITY_LAST);
    return action != ACTION_NONE ? action : runHook<A>(HOOK_POSTROUTING, isNew, PRIORITY_FIRST, PRIORITY_LAST);
  }
  path = PATH_INPUT;
  action = runHook<A>(HOOK_INPUT, isNew, PRIORITY_FIRST, PRIORITY_LAST);
  if (action != ACTION_NONE || !isNew) return action;
  action = scheduleConnection<A>(packet);
  if (action != ACTION_DNAT) return action;
  path = PATH_IPVS;
  routesHere<A>();
  action = runHook<A>(HOOK_OUTPUT, false, PRIORITY_FIRST, PRIORITY_LAST);
  return action != ACTION_NONE ? action : runHook<A>(HOOK_POSTROUTING, true, PRIORITY_FIRST, PRIORITY_LAST);
}

/** Routing: the present destination is an address of this node, or a proxy here takes the packet. */
function routesHere<A>(): bool {
  flight.isDestinationLocal = flight.isForProxy || isDestinationLocal<A>();
  return flight.isDestinationLocal;
}

function outputPath<A>(packet: usize, isNew: bool): u32 {
  path = PATH_OUTPUT;
  let action = runHook<A>(HOOK_OUTPUT, isNew, firstPriority<A>(), PRIORITY_IPVS_OUTPUT);
  if (action != ACTION_NONE) return action;
  if (isNew) {
    action = scheduleConnection<A>(packet);
    if (action != ACTION_NONE && action != ACTION_DNAT) return action;
  }
  action = runHook<A>(HOOK_OUTPUT, isNew, PRIORITY_IPVS_OUTPUT, PRIORITY_LAST);
  if (action != ACTION_NONE) return action;
  action = runHook<A>(HOOK_POSTROUTING, isNew, PRIORITY_FIRST, PRIORITY_LAST);
  if (action != ACTION_NONE || !routesHere<A>()) return action;
  path = PATH_LOOPBACK;
  if (isNew && !settleSource<A>(REPLY)) return insertFailed();
  return comeBackIn<A>();
}

/** A node's packet to itself comes back in through lo. nat is not asked again: the connection has its answers. */
export function comeBackIn<A>(): u32 {
  flight.interface = INTERFACE_LOOPBACK;
  const action = runHook<A>(HOOK_PREROUTING, false, PRIORITY_FIRST, PRIORITY_LAST);
  return action != ACTION_NONE ? action : runHook<A>(HOOK_INPUT, false, PRIORITY_FIRST, PRIORITY_LAST);
}

/** No source port or address is left: the packet is dropped, as by nf_conntrack's insert_failed. */
export function insertFailed(): u32 {
  count(COUNTER_INSERT_FAILED);
  return ACTION_DROP;
}
