// Walks the chains of a hook: the linear scan for the next matching rule, then what its target says.

import { aimAddress, aimClass, aimPorts, destinationAddress, flight, setDestination } from "./flight.ts";
import { matchesHold, rootOf } from "./matches.ts";
import { lookup } from "./sets.ts";
import {
  ACTION_ACCEPT,
  ACTION_DROP,
  ACTION_NONE,
  ACTION_REJECT,
  BASE_CHAIN,
  BASE_IS_NAT,
  BASE_MARKS,
  BASE_NEW_RULES,
  BASE_PRIORITY,
  BASE_RUN,
  BASE_SIZE,
  CHAIN_COLUMNS,
  CHAIN_COUNT,
  CHAIN_DEPTH_MAX,
  CHAIN_END,
  CHAIN_PAD,
  CHAIN_PAD_SHORT,
  CHAIN_PADDED,
  CHAIN_RULES,
  COUNTER_CHAIN_TOO_DEEP,
  HOOK_OUTPUT,
  HOOK_PREROUTING,
  PORT_KEEP,
  ROOT_HOOKS,
  RULE_SIZE,
  SLOT_SERVICE_PORT,
  SLOT_VALUE,
  STATE_BIT_DNAT,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_SNAT,
  STATE_BIT_UNTRACKED,
  TARGET_ACCEPT,
  TARGET_DNAT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NONE,
  TARGET_NOTRACK,
  TARGET_RANDOM_CHAIN,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_SNAT,
  TARGET_TPROXY,
  TARGET_UPDATE_SIGHTING,
  TARGET_VERDICT_MAP,
  VALUE_DROP,
} from "./shared/layout.ts";
import { updateSighting } from "./sightings.ts";
import { count, draw, engine } from "./state.ts";
import { Rule } from "./structs.ts";

/** Remembered places: (chain, next rule). */
const STACK: usize = memory.data(128, 16);
if (CHAIN_DEPTH_MAX * 8 > 128) ERROR("STACK is too small");

/**
 * Runs the base chains of a hook with priority from `from` up to, not including, `to`. `isNatAsked`: the connection is new.
 * ACTION_NONE: the packet goes on; else ACTION_DROP or ACTION_REJECT.
 */
export function runHook<A>(hook: u32, isNatAsked: bool, from: i32, to: i32): u32 {
  const root = rootOf<A>(engine);
  const entry = root + ROOT_HOOKS + (hook << 3);
  let base: usize = load<u32>(entry);
  const end = base + <usize>load<u32>(entry, 4) * BASE_SIZE;
  const bindsDestination = hook == HOOK_PREROUTING || hook == HOOK_OUTPUT;
  while (base < end) {
    const priority = load<i32>(base, BASE_PRIORITY);
    const isBound = bindsDestination ? flight.isDestinationBound : flight.isSourceBound;
    const isSkipped = load<u32>(base, BASE_IS_NAT) != 0 && (!isNatAsked || isBound);
    if (priority >= from && priority < to && !isSkipped && !countsOnly(base)) {
      const action = walk<A>(root, load<u32>(root + <usize>load<u32>(base, BASE_CHAIN)));
      if (action != ACTION_ACCEPT) return action;
    }
    base += BASE_SIZE;
  }
  return ACTION_NONE;
}

/** What the chain does with this packet was known when it was written: it passes after a number of rules. They are counted. @inline */
function countsOnly(base: usize): bool {
  const rules = load<u32>(base, BASE_NEW_RULES);
  if (rules == BASE_RUN || (flight.conntrackState & STATE_BIT_NEW) == 0 || (flight.mark & load<u32>(base, BASE_MARKS)) != 0) return false;
  flight.rulesEvaluated += rules;
  return true;
}

/** One base chain and all that it jumps to. References count from `root`. @inline */
function walk<A>(root: usize, base: usize): u32 {
  let chain = base;
  let row: u32 = 0;
  let depth: u32 = 0;
  flight.elementServicePort = 0;
  while (true) {
    row = nextMatch<A>(chain, row);
    if (row == load<u32>(chain, CHAIN_COUNT)) {
      if (depth == 0) return load<u32>(base, CHAIN_END);
      depth--;
      chain = load<u32>(STACK + (depth << 3));
      row = load<u32>(STACK + (depth << 3), 4);
      continue;
    }
    const rule = changetype<Rule>(<usize>load<u32>(chain, CHAIN_RULES) + <usize>row * RULE_SIZE);
    row++;
    let next: usize = 0; // the chain to go on in
    switch (rule.target) {
      case TARGET_NONE:
        continue;
      case TARGET_ACCEPT:
        if (deciderOf(rule) != 0) flight.acceptedServicePort = deciderOf(rule);
        return ACTION_ACCEPT;
      case TARGET_DROP:
        flight.servicePort = deciderOf(rule);
        return ACTION_DROP;
      case TARGET_REJECT:
        flight.servicePort = deciderOf(rule);
        return ACTION_REJECT;
      case TARGET_RETURN:
        row = load<u32>(chain, CHAIN_COUNT); // as at the end of the chain
        continue;
      case TARGET_JUMP:
        if (depth == CHAIN_DEPTH_MAX) {
          count(COUNTER_CHAIN_TOO_DEEP);
          flight.servicePort = deciderOf(rule);
          return ACTION_DROP;
        }
        store<u32>(STACK + (depth << 3), <u32>chain);
        store<u32>(STACK + (depth << 3), row, 4);
        depth++;
        next = load<u32>(root + <usize>rule.a);
        break;
      case TARGET_GOTO:
        next = load<u32>(root + <usize>rule.a);
        break;
      case TARGET_MARK:
        flight.mark = (flight.mark & ~rule.b) ^ rule.a;
        continue;
      case TARGET_TPROXY:
        flight.mark = (flight.mark & ~rule.b) ^ rule.a;
        flight.isForProxy = true;
        return ACTION_ACCEPT;
      case TARGET_NOTRACK:
        // To rules before conntrack its packets are INVALID; one that it knows already stays tracked.
        if (flight.conntrackState == STATE_BIT_INVALID) flight.conntrackState = STATE_BIT_UNTRACKED;
        continue;
      case TARGET_DNAT:
        setDestination<A>(rule.a, rule.b != PORT_KEEP ? rule.b : flight.destinationPort);
        bindDestination(deciderOf(rule));
        return ACTION_ACCEPT;
      case TARGET_SNAT:
        flight.newSource = rule.a;
        flight.snatPort = rule.b;
        bindSource();
        return ACTION_ACCEPT;
      case TARGET_MASQUERADE:
        flight.isMasquerade = true;
        flight.isRandomFully = rule.a != 0;
        bindSource();
        return ACTION_ACCEPT;
      case TARGET_VERDICT_MAP: {
        const slot = lookup<A>(load<u32>(root + <usize>rule.a), rule.b);
        if (slot == 0) continue;
        flight.elementServicePort = load<u32>(slot, SLOT_SERVICE_PORT);
        const value = load<u32>(slot, SLOT_VALUE);
        if (value == VALUE_DROP) {
          flight.servicePort = deciderOf(rule);
          return ACTION_DROP;
        }
        next = load<u32>(root + <usize>value);
        break;
      }
      case TARGET_RANDOM_CHAIN:
        next = load<u32>(root + <usize>load<u32>(<usize>rule.a + ((<usize>((<u64>draw() * rule.b) >> 32)) << 2)));
        break;
      case TARGET_UPDATE_SIGHTING:
        updateSighting<A>(rule.a, rule.b);
        continue;
      default:
        unreachable();
    }
    chain = next;
    row = 0;
  }
}

/** The ServicePort that a rule decides for: its own, or that of the map element that led here. */
function deciderOf(rule: Rule): u32 {
  return rule.servicePort != 0 ? rule.servicePort : flight.elementServicePort;
}

/** The destination stands for this connection. @inline */
export function bindDestination(servicePort: u32): void {
  flight.isDestinationBound = true;
  flight.isDnat = true;
  flight.servicePort = servicePort;
  flight.conntrackState |= STATE_BIT_DNAT;
}

function bindSource(): void {
  flight.isSourceBound = true;
  flight.conntrackState |= STATE_BIT_SNAT;
}

/** Rules that one look at the columns covers, and what one v128 holds. */
const WIDE: u32 = CHAIN_PAD;
const LANES: u32 = CHAIN_PAD_SHORT;

/** The first rule from `row` on that matches, or the number of rules. Counts each one it looks at. @inline */
function nextMatch<A>(chain: usize, row: u32): u32 {
  const rows = load<u32>(chain, CHAIN_COUNT);
  const columnSize = (<usize>load<u32>(chain, CHAIN_PADDED)) << 2;
  const rules: usize = load<u32>(chain, CHAIN_RULES);
  // The last word of an address tells most rules apart; the others are checked once it fits.
  const word = (offsetof<A>() >> 2) - 1;
  const destination = aimAddress();
  const ports = aimPorts();
  const class_ = aimClass();
  const columns: usize = load<u32>(chain, CHAIN_COLUMNS);
  const addresses = columns + word * columnSize;
  const masks = addresses + (offsetof<A>() >> 2) * columnSize;
  const portColumn = columns + (offsetof<A>() >> 1) * columnSize;
  const classColumn = portColumn + columnSize;
  let first = row & ~(LANES - 1);
  while (first < rows) {
    const at: usize = (<usize>first) << 2;
    if ((first & (WIDE - 1)) == 0 && first + WIDE <= rows) {
      // Of long chains nearly all rules name another address: half of the columns rule them out.
      let any = insideLanes(addresses + at, masks + at, destination);
      for (let lane: usize = 16; lane < 128; lane += 16)
        any = v128.or(any, insideLanes(addresses + at + lane, masks + at + lane, destination));
      if (v128.any_true(any)) {
        any = matchLanes(addresses + at, masks + at, portColumn + at, classColumn + at, destination, ports, class_);
        for (let lane: usize = 16; lane < 128; lane += 16) {
          const next = at + lane;
          any = v128.or(any, matchLanes(addresses + next, masks + next, portColumn + next, classColumn + next, destination, ports, class_));
        }
      }
      if (!v128.any_true(any)) {
        first += WIDE;
        continue;
      }
    }
    let bits = <u32>i32x4.bitmask(matchLanes(addresses + at, masks + at, portColumn + at, classColumn + at, destination, ports, class_));
    if (first < row) bits &= (<u32>0xf) << (row - first);
    while (bits != 0) {
      const current = first + ctz<u32>(bits);
      const cell: usize = (<usize>current) << 2;
      if (isRestInside<A>(columns + cell, columnSize) && matchesHold<A>(changetype<Rule>(rules + <usize>current * RULE_SIZE))) {
        flight.rulesEvaluated += current - row + 1;
        return current;
      }
      bits &= bits - 1;
    }
    first += LANES;
  }
  flight.rulesEvaluated += rows - row;
  return rows;
}

/** All ones in each of four lanes whose rule names the destination. */
function insideLanes(addresses: usize, masks: usize, destination: v128): v128 {
  return i32x4.eq(v128.and(destination, v128.load(masks)), v128.load(addresses));
}

/** All ones in each of four lanes whose rule the packet's columns fit. @inline */
function matchLanes(addresses: usize, masks: usize, ports: usize, classes: usize, destination: v128, port: v128, class_: v128): v128 {
  const isInside = insideLanes(addresses, masks, destination);
  const isBetween = i32x4.eq(i16x8.ge_u(port, v128.load(ports)), i32x4.splat(-1));
  const isClass = i32x4.ne(v128.and(class_, v128.load(classes)), i32x4.splat(0));
  return v128.and(v128.and(isInside, isBetween), isClass);
}

/** The words of an IPv6 destination before the last one. */
function isRestInside<A>(cell: usize, columnSize: usize): bool {
  const words = offsetof<A>() >> 2;
  for (let i: usize = 0; i < words - 1; i++) {
    const address = load<u32>(destinationAddress() + (i << 2));
    if ((address & load<u32>(cell + columnSize * (words + i))) != load<u32>(cell + columnSize * i)) return false;
  }
  return true;
}
