// The source side of a translation: masquerade and snat, and a source port that keeps the reply tuple unique,
// searched as nf_nat_l4proto_unique_tuple does.

import { copyAddress, swapPort } from "./address.ts";
import { lookup, tagOf } from "./conntrack.ts";
import { destinationAddress, flight, sourceAddress } from "./flight.ts";
import { rootOf } from "./matches.ts";
import { PORT_KEEP, ROOT_MASQUERADE } from "./shared/layout.ts";
import { draw, engine } from "./state.ts";

/** Ports that nf_nat tries before it halves its patience. */
const ATTEMPTS_MAX: u32 = 128;
const ATTEMPTS_MIN: u32 = 16;

/** Writes the reply tuple of the packet in flight. @inline */
export function writeReplyTuple<A>(at: usize): void {
  copyAddress<A>(at, destinationAddress());
  copyAddress<A>(at + offsetof<A>(), sourceAddress());
  store<u32>(at + 2 * offsetof<A>(), flight.destinationPort | (flight.sourcePort << 16));
}

function isTaken<A>(tuple: usize): bool {
  writeReplyTuple<A>(tuple);
  const tag = tagOf<A>(tuple, flight.class);
  flight.replyTag = tag;
  return lookup<A>(tuple, flight.class, tag) != 0;
}

/**
 * Translates the source as masquerade or snat asked for and leaves the reply tuple at `tuple`, its tag in flight. Done once for a packet.
 * False: there is no address to masquerade with, or no port is left.
 */
export function settleSource<A>(tuple: usize): bool {
  if (flight.isSourceSettled) return true;
  flight.isSourceSettled = true;
  const address = flight.isMasquerade ? <usize>load<u32>(rootOf<A>(engine), ROOT_MASQUERADE) : flight.newSource;
  if (address != 0) copyAddress<A>(sourceAddress(), address);
  else if (flight.isMasquerade) return false;
  return choosePort<A>(tuple);
}

function choosePort<A>(tuple: usize): bool {
  if (flight.newSource != 0 && flight.snatPort != PORT_KEEP) {
    flight.sourcePort = flight.snatPort;
    return !isTaken<A>(tuple);
  }
  if (!flight.isRandomFully && !isTaken<A>(tuple)) return true;
  const port = swapPort(flight.sourcePort);
  const lowest: u32 = port < 512 ? 1 : port < 1024 ? 600 : 1024;
  const highest: u32 = port < 512 ? 511 : port < 1024 ? 1023 : 65535;
  const size = highest - lowest + 1;
  let attempts = min<u32>(size, ATTEMPTS_MAX);
  while (true) {
    const offset = draw() & 0xffff;
    for (let i: u32 = 0; i < attempts; i++) {
      flight.sourcePort = swapPort(lowest + ((offset + i) % size));
      if (!isTaken<A>(tuple)) return true;
    }
    if (attempts >= size || attempts < ATTEMPTS_MIN) return false;
    attempts = attempts / 2;
  }
}
