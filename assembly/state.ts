// What the core keeps between packets besides tables: clock, randomness, settings, counters. TypeScript reads and writes the same record.

import { TCP_STATE_ESTABLISHED } from "./shared/conntrack-layout.ts";
import { COUNTER_COUNT, STATE_COUNTERS, STATE_SIZE, STATE_TIMEOUTS, TIMEOUT_TCP_UNACKNOWLEDGED } from "./shared/layout.ts";
import { nextRandom } from "./shared/random.ts";
import { EngineState } from "./structs.ts";

const STATE: usize = memory.data(STATE_SIZE, 16);
if (STATE_COUNTERS + COUNTER_COUNT * 8 != STATE_SIZE) ERROR("the counters do not end with STATE_SIZE");

export const engine: EngineState = changetype<EngineState>(STATE);

export function stateAddress(): usize {
  return STATE;
}

export function count(counter: u32): void {
  const at = STATE + STATE_COUNTERS + (counter << 3);
  store<u64>(at, load<u64>(at) + 1);
}

export function addCount(counter: u32, more: u32): void {
  const at = STATE + STATE_COUNTERS + (counter << 3);
  store<u64>(at, load<u64>(at) + more);
}

/** Draws the next random number. */
export function draw(): u32 {
  const number = nextRandom(engine.random);
  engine.random = number;
  return number;
}

/** Milliseconds, by TCP_STATE_*: a connection that was picked up stays short until the other side has answered once. @inline */
export function tcpTimeout(state: u32, hadReply: bool): f64 {
  const timeout = timeoutOf(state);
  return state == TCP_STATE_ESTABLISHED && !hadReply ? min<f64>(timeout, timeoutOf(TIMEOUT_TCP_UNACKNOWLEDGED)) : timeout;
}

/** Milliseconds, by TIMEOUT_* or TCP_STATE_*. */
export function timeoutOf(which: u32): f64 {
  return <f64>load<u32>(STATE + STATE_TIMEOUTS + (which << 2));
}
