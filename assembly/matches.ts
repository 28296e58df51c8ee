// What a rule's columns cannot say: asks its MATCH records in order, until one fails.

import { equalAddress, insideNetwork, swapPort } from "./address.ts";
import {
  DESTINATION_ELSEWHERE,
  DESTINATION_LOCAL,
  DESTINATION_UNKNOWN,
  destinationAddress,
  flight,
  sourceAddress,
  virtualAddress,
} from "./flight.ts";
import { checkRecent, updateRecent } from "./recent.ts";
import { containsAddress, lookup } from "./sets.ts";
import {
  ENDPOINT_ADDRESS,
  INTERFACE_SIZE,
  MATCH_A,
  MATCH_B,
  MATCH_CLASS,
  MATCH_CONNTRACK_STATE,
  MATCH_DESTINATION,
  MATCH_DESTINATION_LOCAL,
  MATCH_DESTINATION_PORT,
  MATCH_INTERFACE,
  MATCH_IPVS,
  MATCH_KIND,
  MATCH_MARK,
  MATCH_NEGATED,
  MATCH_RECENT_CHECK,
  MATCH_RECENT_SET,
  MATCH_SET,
  MATCH_SIGHTING,
  MATCH_SIZE,
  MATCH_SOURCE,
  MATCH_SOURCE_ENDPOINT,
  MATCH_SOURCE_LOCAL,
  MATCH_SOURCE_PORT,
  MATCH_STATISTIC,
  MATCH_WORDS,
  ROOT_LOCAL,
} from "./shared/layout.ts";
import { isSighted } from "./sightings.ts";
import { draw, engine } from "./state.ts";
import { EngineState, Rule } from "./structs.ts";

/** Address of the Program of the family in force. */
export function rootOf<A>(state: EngineState): usize {
  return offsetof<A>() == 4 ? state.rootV4 : state.rootV6;
}

/** fib type local. */
export function isLocal<A>(address: usize): bool {
  return containsAddress<A>(load<u32>(rootOf<A>(engine), ROOT_LOCAL), address);
}

/** The present destination is one of this node's addresses. Asked once for each. */
export function isDestinationLocal<A>(): bool {
  if (flight.destinationKind == DESTINATION_UNKNOWN)
    flight.destinationKind = isLocal<A>(destinationAddress()) ? DESTINATION_LOCAL : DESTINATION_ELSEWHERE;
  return flight.destinationKind == DESTINATION_LOCAL;
}

/** @inline */
export function matchesHold<A>(rule: Rule): bool {
  let match: usize = rule.matches;
  const end = match + <usize>rule.matchCount * MATCH_SIZE;
  while (match < end) {
    if (<u32>holds<A>(match) == load<u32>(match, MATCH_NEGATED)) return false;
    match += MATCH_SIZE;
  }
  return true;
}

/** @inline */
function holds<A>(match: usize): bool {
  const a = load<u32>(match, MATCH_A);
  const b = load<u32>(match, MATCH_B);
  const words = match + MATCH_WORDS;
  switch (load<u32>(match, MATCH_KIND)) {
    case MATCH_SOURCE:
      return insideNetwork<A>(sourceAddress(), words, words + 16);
    case MATCH_SOURCE_ENDPOINT:
      return equalAddress<A>(sourceAddress(), flight.endpoint + ENDPOINT_ADDRESS);
    case MATCH_DESTINATION:
      return insideNetwork<A>(destinationAddress(), words, words + 16);
    case MATCH_CLASS:
      return flight.class == a;
    case MATCH_SOURCE_PORT:
      return isBetween(flight.sourcePort, a, b);
    case MATCH_DESTINATION_PORT:
      return isBetween(flight.destinationPort, a, b);
    case MATCH_MARK:
      return (flight.mark & b) == a;
    case MATCH_CONNTRACK_STATE:
      return (flight.conntrackState & a) != 0;
    case MATCH_SOURCE_LOCAL:
      return isLocal<A>(sourceAddress());
    case MATCH_DESTINATION_LOCAL:
      return isDestinationLocal<A>();
    case MATCH_STATISTIC:
      return (draw() & 0x7fffffff) < a;
    case MATCH_RECENT_CHECK:
      return checkRecent<A>(a, b, load<u32>(words) != 0);
    case MATCH_RECENT_SET:
      updateRecent<A>(a);
      return true;
    case MATCH_SET:
      return lookup<A>(load<u32>(rootOf<A>(engine) + <usize>a), b) != 0;
    case MATCH_SIGHTING:
      return isSighted<A>(a);
    case MATCH_INTERFACE:
      return memory.compare(<usize>engine.interfaces + <usize>flight.interface * INTERFACE_SIZE, words, a) == 0;
    case MATCH_IPVS:
      return flight.isIpvs && flight.class == a && flight.virtualPort == b && equalAddress<A>(virtualAddress(), words);
    default:
      return false; // MATCH_NEVER
  }
}

/** @inline */
function isBetween(portBe: u32, from: u32, to: u32): bool {
  const port = swapPort(portBe);
  return port >= from && port <= to;
}
