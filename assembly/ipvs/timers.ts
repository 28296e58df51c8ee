// The timers of all connections of a namespace: one binary heap by time. A timer that is only set later keeps its slot, which is put
// right when it comes up: a packet of a known connection costs nothing here.
import { TIMER_AT, TIMER_CONN, TIMER_SIZE, TIMER_TEMPLATE, TIMER_V6 } from "../shared/ipvs-layout.ts";
import { Connection, Namespace } from "./structs.ts";

@unmanaged
export class Timer {
  at: f64 = 0;
  reference: u32 = 0;
  spare: u32 = 0;
}
if (offsetof<Timer>("at") != TIMER_AT) ERROR("Timer.at is not at TIMER_AT");
if (offsetof<Timer>("reference") != TIMER_CONN) ERROR("Timer.reference is not at TIMER_CONN");
if (offsetof<Timer>() != TIMER_SIZE) ERROR("Timer is not TIMER_SIZE bytes");

export function timerAt(namespace: Namespace, slot: u32): Timer {
  return changetype<Timer>(<usize>namespace.timers + <usize>slot * TIMER_SIZE);
}

function connectionOf(reference: u32): Connection {
  return changetype<Connection>(<usize>(reference & ~(TIMER_TEMPLATE | TIMER_V6)));
}

/** The timer that is looked at next; only when there is one. */
export function firstTimer(namespace: Namespace): Timer {
  return timerAt(namespace, 0);
}

/** A connection's first timer. */
export function addTimer(namespace: Namespace, connection: Connection, mark: u32, expiresAt: f64): void {
  connection.expiresAt = expiresAt;
  rise(namespace, namespace.timerCount++, expiresAt, <u32>changetype<usize>(connection) | mark);
}

/** Sets a timer anew, later or earlier. */
export function setTimer(namespace: Namespace, connection: Connection, expiresAt: f64): void {
  const isEarlier = expiresAt < connection.expiresAt;
  connection.expiresAt = expiresAt;
  if (!isEarlier) return;
  const slot = connection.timer - 1;
  const timer = timerAt(namespace, slot);
  if (expiresAt < timer.at) rise(namespace, slot, expiresAt, timer.reference);
}

/** The first timer came up before its connection expires: it looks again then. */
export function postponeFirst(namespace: Namespace, at: f64): void {
  sink(namespace, 0, at, timerAt(namespace, 0).reference);
}

export function removeTimer(namespace: Namespace, connection: Connection): void {
  const slot = connection.timer - 1;
  const last = timerAt(namespace, --namespace.timerCount);
  if (slot == namespace.timerCount) return;
  const at = last.at;
  const reference = last.reference;
  const parent = timerAt(namespace, slot == 0 ? 0 : (slot - 1) >> 1);
  if (isBefore(at, reference, parent.at, parent.reference)) rise(namespace, slot, at, reference);
  else sink(namespace, slot, at, reference);
}

/** At the same time, connections before templates. */
function isBefore(at: f64, reference: u32, otherAt: f64, otherReference: u32): bool {
  return at < otherAt || (at == otherAt && (reference & TIMER_TEMPLATE) < (otherReference & TIMER_TEMPLATE));
}

function rise(namespace: Namespace, from: u32, at: f64, reference: u32): void {
  let slot = from;
  while (slot > 0) {
    const parentSlot = (slot - 1) >> 1;
    const parent = timerAt(namespace, parentSlot);
    if (!isBefore(at, reference, parent.at, parent.reference)) break;
    put(namespace, slot, parent.at, parent.reference);
    slot = parentSlot;
  }
  put(namespace, slot, at, reference);
}

function sink(namespace: Namespace, from: u32, at: f64, reference: u32): void {
  const count = namespace.timerCount;
  let slot = from;
  while (slot * 2 + 1 < count) {
    let childSlot = slot * 2 + 1;
    let child = timerAt(namespace, childSlot);
    if (childSlot + 1 < count) {
      const right = timerAt(namespace, childSlot + 1);
      if (isBefore(right.at, right.reference, child.at, child.reference)) {
        childSlot++;
        child = right;
      }
    }
    if (!isBefore(child.at, child.reference, at, reference)) break;
    put(namespace, slot, child.at, child.reference);
    slot = childSlot;
  }
  put(namespace, slot, at, reference);
}

function put(namespace: Namespace, slot: u32, at: f64, reference: u32): void {
  const timer = timerAt(namespace, slot);
  timer.at = at;
  timer.reference = reference;
  connectionOf(reference).timer = slot + 1;
}
