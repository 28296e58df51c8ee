// Walks the chains of a hook: the linear scan for the next matching rule, then what its target says.

import { aimAddress, aimClass, aimPorts, destinationAddress, flight, setDestination } from "./flight.ts";
import { matchesHold, rootOf } from "./matches.ts";
import { lookup } from "./sets.ts";
import { addressTag } from "./shared/hash.ts";
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
  CHAIN_ALIKE,
  CHAIN_COLUMNS,
  CHAIN_COUNT,
  CHAIN_DEPTH_MAX,
  CHAIN_END,
  CHAIN_PAD,
  CHAIN_PAD_SHORT,
  CHAIN_PADDED,
  CHAIN_RULES,
  CHAIN_WRITTEN,
  COUNTER_CHAIN_TOO_DEEP,
  ENDPOINT_ADDRESS,
  ENDPOINT_PORT,
  HOOK_OUTPUT,
  HOOK_PREROUTING,
  PORT_KEEP,
  ROOT_HOOKS,
  ROOT_THRESHOLDS,
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
  TARGET_DNAT_ENDPOINT,
  TARGET_DRAW,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NONE,
  TARGET_NOTRACK,
  TARGET_RANDOM_CHAIN,
  TARGET_RANDOM_ENDPOINT,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_SNAT,
  TARGET_TPROXY,
  TARGET_UPDATE_SIGHTING,
  TARGET_VERDICT_MAP,
  VALUE_DROP,
} from "./shared/layout.ts";
import { nextRandom } from "./shared/random.ts";
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
    const rows = load<u32>(chain, CHAIN_COUNT);
    if (row < rows) row = nextMatch<A>(root, chain, row, rows);
    if (row == rows) {
      if (depth == 0) return load<u32>(base, CHAIN_END);
      depth--;
      chain = load<u32>(STACK + (depth << 3));
      row = load<u32>(STACK + (depth << 3), 4);
      continue;
    }
    const rule = changetype<Rule>(<usize>load<u32>(chain, CHAIN_RULES) + <usize>min(row, load<u32>(chain, CHAIN_WRITTEN)) * RULE_SIZE);
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
        row = rows; // as at the end of the chain
        continue;
      case TARGET_JUMP:
      case TARGET_DRAW:
        if (depth == CHAIN_DEPTH_MAX) {
          count(COUNTER_CHAIN_TOO_DEEP);
          flight.servicePort = deciderOf(rule);
          return ACTION_DROP;
        }
        store<u32>(STACK + (depth << 3), <u32>chain);
        store<u32>(STACK + (depth << 3), row, 4);
        depth++;
        next = rule.target == TARGET_JUMP ? <usize>load<u32>(root + <usize>rule.a) : choose<A>(rule, row - 1);
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
      case TARGET_DNAT_ENDPOINT: {
        let address: usize = rule.a;
        let port = rule.b != PORT_KEEP ? rule.b : flight.destinationPort;
        if (rule.target == TARGET_DNAT_ENDPOINT) {
          address = flight.endpoint + ENDPOINT_ADDRESS;
          port = load<u32>(flight.endpoint, ENDPOINT_PORT);
        }
        setDestination<A>(address, port);
        bindDestination(deciderOf(rule));
        return ACTION_ACCEPT;
      }
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
        next = load<u32>(root + <usize>load<u32>(<usize>rule.a + ((<usize>drawBelow(rule.b)) << 2)));
        break;
      case TARGET_RANDOM_ENDPOINT:
        next = choose<A>(rule, row - 1 + drawBelow(rule.c));
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

/** The packet goes to an Endpoint of a choice: the chain of its rules, which are those of all that are alike. */
function choose<A>(rule: Rule, row: u32): usize {
  flight.endpoint = <usize>rule.a + <usize>row * (ENDPOINT_ADDRESS + offsetof<A>());
  flight.elementServicePort = rule.servicePort;
  return rule.b;
}

/** A random number below `count`. @inline */
function drawBelow(count: u32): u32 {
  return <u32>((<u64>draw() * count) >> 32);
}

/** The ServicePort that a rule decides for: its own, or that of the map element or choice that led here. */
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

/** The first rule from `row` on that matches, or the number of rules, `rows`. Counts each one it looks at. @inline */
function nextMatch<A>(root: usize, chain: usize, row: u32, rows: u32): u32 {
  const written = load<u32>(chain, CHAIN_WRITTEN);
  if (row < written) {
    const match = nextWritten<A>(chain, row, written);
    if (match < written || written == rows) return match;
    row = written;
  }
  return nextDraw(load<u32>(root, ROOT_THRESHOLDS), row, rows);
}

/** The same among the rules that are written each by itself. @inline */
function nextWritten<A>(chain: usize, row: u32, rows: u32): u32 {
  const columnSize = (<usize>load<u32>(chain, CHAIN_PADDED)) << 2;
  const rules: usize = load<u32>(chain, CHAIN_RULES);
  const isPlain = columnSize == 0;
  // The last word of an address tells most rules apart; the others are checked once it fits.
  const columns: usize = load<u32>(chain, CHAIN_COLUMNS);
  const addresses = columns + ((offsetof<A>() >> 2) - 1) * columnSize;
  const masks = addresses + (offsetof<A>() >> 2) * columnSize;
  let first = row & ~(LANES - 1);
  while (first < rows) {
    const at: usize = (<usize>first) << 2;
    let bits: u32 = 0xf;
    if (isPlain) {
      if (first + LANES > rows) bits >>= first + LANES - rows;
    } else {
      if ((first & (WIDE - 1)) == 0 && first + WIDE <= rows) {
        const next = skipOthers(chain, addresses, masks, columnSize, first, rows);
        if (next != first) {
          first = next;
          continue;
        }
      }
      bits = matchLanes(addresses + at, masks + at, masks + columnSize + at, masks + 2 * columnSize + at);
    }
    if (first < row) bits &= (<u32>0xf) << (row - first);
    while (bits != 0) {
      const current = first + ctz<u32>(bits);
      const cell: usize = (<usize>current) << 2;
      if (
        (isPlain || isRestInside<A>(columns + cell, columnSize)) &&
        matchesHold<A>(changetype<Rule>(rules + <usize>current * RULE_SIZE))
      ) {
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

/** The rule of a choice, from `row` on, whose Endpoint is taken: the last one takes whatever comes to it. */
function nextDraw(thresholds: usize, row: u32, rows: u32): u32 {
  let random = engine.random;
  let current = row;
  for (; current < rows - 1; current++) {
    random = nextRandom(random);
    if ((random & 0x7fffffff) < load<u32>(thresholds + ((<usize>(rows - current)) << 2))) break;
  }
  engine.random = random;
  flight.rulesEvaluated += current + 1 - row;
  return current;
}

/**
 * Of a long chain nearly all rules name another destination. From the row that begins a block of WIDE ones, the first such block with a
 * rule that may name this one, or where whole blocks end, or those of one mask.
 */
function skipOthers(chain: usize, addresses: usize, masks: usize, columnSize: usize, first: u32, rows: u32): u32 {
  const alike = load<u32>(chain, CHAIN_ALIKE);
  // Tags lie behind the three last columns.
  if (first < alike) return skipOtherTags(masks + 3 * columnSize, load<u32>(masks), first, alike);
  const destination = aimAddress();
  const end: usize = (<usize>(rows & ~(WIDE - 1))) << 2;
  let at: usize = (<usize>first) << 2;
  do {
    if (v128.any_true(insideBlock(addresses + at, masks + at, destination))) break;
    at += WIDE << 2;
  } while (at < end);
  return <u32>(at >> 2);
}

/** The same among the rules of one mask: half the memory is read, and a rule in 65,536 that has the tag names another address. @inline */
function skipOtherTags(tags: usize, mask: u32, first: u32, alike: u32): u32 {
  const tag = i16x8.splat(<i16>addressTag(i32x4.extract_lane(aimAddress(), 0) & mask));
  const end = tags + ((<usize>alike) << 1);
  let at = tags + ((<usize>first) << 1);
  do {
    if (v128.any_true(equalBlock(at, tag))) break;
    at += WIDE << 1;
  } while (at < end);
  return <u32>((at - tags) >> 1);
}
if (WIDE != 8 * LANES) ERROR("a block is not eight vectors");

/** Not all zeros if a row of a block has that tag. @inline */
function equalBlock(tags: usize, tag: v128): v128 {
  const a = v128.or(i16x8.eq(v128.load(tags), tag), i16x8.eq(v128.load(tags, 16), tag));
  const b = v128.or(i16x8.eq(v128.load(tags, 32), tag), i16x8.eq(v128.load(tags, 48), tag));
  return v128.or(a, b);
}

/** Not all zeros if the address is inside a row of a block. @inline */
function insideBlock(addresses: usize, masks: usize, destination: v128): v128 {
  const a = v128.or(insideLanes(addresses, masks, destination), insideLanes(addresses + 16, masks + 16, destination));
  const b = v128.or(insideLanes(addresses + 32, masks + 32, destination), insideLanes(addresses + 48, masks + 48, destination));
  const c = v128.or(insideLanes(addresses + 64, masks + 64, destination), insideLanes(addresses + 80, masks + 80, destination));
  const d = v128.or(insideLanes(addresses + 96, masks + 96, destination), insideLanes(addresses + 112, masks + 112, destination));
  return v128.or(v128.or(a, b), v128.or(c, d));
}

/** All ones in each of four lanes whose rule names the destination. @inline */
function insideLanes(addresses: usize, masks: usize, destination: v128): v128 {
  return i32x4.eq(v128.and(destination, v128.load(masks)), v128.load(addresses));
}

/** Bit i for each of four rows i that the packet's destination, port and class fit. @inline */
function matchLanes(addresses: usize, masks: usize, ports: usize, classes: usize): u32 {
  const isInside = insideLanes(addresses, masks, aimAddress());
  const isBetween = i32x4.eq(i16x8.ge_u(aimPorts(), v128.load(ports)), i32x4.splat(-1));
  const isClass = i32x4.ne(v128.and(aimClass(), v128.load(classes)), i32x4.splat(0));
  return <u32>i32x4.bitmask(v128.and(v128.and(isInside, isBetween), isClass));
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
