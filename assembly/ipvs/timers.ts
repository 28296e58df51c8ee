// The timers of all connections of a namespace: one heap by time, four slots below each, which share a cache line or two. A timer that is
// only set later keeps its slot, which is put right when it comes up: a packet of a known connection costs nothing here.
import { TIMER_AT, TIMER_CHILDREN, TIMER_CONN, TIMER_ORDER, TIMER_SIZE, TIMER_TEMPLATE, TIMER_V6 } from "../shared/ipvs-layout.ts";
import { Connection, Namespace } from "./structs.ts";

@unmanaged
export class Timer {
  at: f64 = 0;
  reference: u32 = 0;
  order: u32 = 0;
}
if (offsetof<Timer>("at") != TIMER_AT) ERROR("Timer.at is not at TIMER_AT");
if (offsetof<Timer>("reference") != TIMER_CONN) ERROR("Timer.reference is not at TIMER_CONN");
if (offsetof<Timer>("order") != TIMER_ORDER) ERROR("Timer.order is not at TIMER_ORDER");
if (offsetof<Timer>() != TIMER_SIZE) ERROR("Timer is not TIMER_SIZE bytes");

/** The one that looks for its slot. */
const moving: Timer = changetype<Timer>(memory.data(16, 16));

export function timerAt(namespace: Namespace, slot: u32): Timer {
  return changetype<Timer>(<usize>namespace.timers + <usize>slot * TIMER_SIZE);
}

/** The timer that is looked at next; only when there is one. */
export function firstTimer(namespace: Namespace): Timer {
  return timerAt(namespace, 0);
}

/** A connection's first timer: it has the time at which it expires already. */
export function addTimer(namespace: Namespace, connection: Connection, mark: u32): void {
  moving.at = connection.expiresAt;
  moving.reference = <u32>changetype<usize>(connection) | mark;
  moving.order = <u32>(<u64>connection.sequence);
  rise(namespace, namespace.timerCount++);
}

/** Sets a timer anew, later or earlier. */
export function setTimer(namespace: Namespace, connection: Connection, expiresAt: f64): void {
  const isEarlier = expiresAt < connection.expiresAt;
  connection.expiresAt = expiresAt;
  if (!isEarlier) return;
  const slot = connection.timer - 1;
  copyTimer(moving, timerAt(namespace, slot));
  if (expiresAt >= moving.at) return;
  moving.at = expiresAt;
  rise(namespace, slot);
}

/** The first timer came up before its connection expires: it looks again then. */
export function postponeFirst(namespace: Namespace, at: f64): void {
  copyTimer(moving, firstTimer(namespace));
  moving.at = at;
  sink(namespace, 0);
}

export function removeTimer(namespace: Namespace, connection: Connection): void {
  const slot = connection.timer - 1;
  copyTimer(moving, timerAt(namespace, --namespace.timerCount));
  if (slot == namespace.timerCount) return;
  if (slot != 0 && isBefore(moving, timerAt(namespace, parentOf(slot)))) rise(namespace, slot);
  else sink(namespace, slot);
}

function parentOf(slot: u32): u32 {
  return (slot - 1) / TIMER_CHILDREN;
}

/** At the same time, connections before templates, and of those the older one first. */
function isBefore(timer: Timer, other: Timer): bool {
  if (timer.at != other.at) return timer.at < other.at;
  const isTemplate = timer.reference & TIMER_TEMPLATE;
  const isOtherTemplate = other.reference & TIMER_TEMPLATE;
  return isTemplate != isOtherTemplate ? isTemplate < isOtherTemplate : <i32>(timer.order - other.order) < 0;
}

/** The moving timer goes up from a slot that is to be filled. */
function rise(namespace: Namespace, from: u32): void {
  let slot = from;
  while (slot > 0) {
    const parentSlot = parentOf(slot);
    const parent = timerAt(namespace, parentSlot);
    if (!isBefore(moving, parent)) break;
    put(namespace, slot, parent);
    slot = parentSlot;
  }
  put(namespace, slot, moving);
}

/** The moving timer goes down from a slot that is to be filled. */
function sink(namespace: Namespace, from: u32): void {
  const count = namespace.timerCount;
  let slot = from;
  while (true) {
    const first = slot * TIMER_CHILDREN + 1;
    if (first >= count) break;
    const end = min<u32>(first + TIMER_CHILDREN, count);
    let soonest = first;
    for (let child = first + 1; child < end; child++) if (isBefore(timerAt(namespace, child), timerAt(namespace, soonest))) soonest = child;
    if (!isBefore(timerAt(namespace, soonest), moving)) break;
    put(namespace, slot, timerAt(namespace, soonest));
    slot = soonest;
  }
  put(namespace, slot, moving);
}

function put(namespace: Namespace, slot: u32, timer: Timer): void {
  copyTimer(timerAt(namespace, slot), timer);
  changetype<Connection>(<usize>(timer.reference & ~(TIMER_TEMPLATE | TIMER_V6))).timer = slot + 1;
}

function copyTimer(to: Timer, from: Timer): void {
  v128.store(changetype<usize>(to), v128.load(changetype<usize>(from)));
}
