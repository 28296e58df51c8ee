// One packet: what stands before conntrack, conntrack, then the hooks, then a new conntrack entry. docs/packet-path.md is the specification.
import { firstState, firstTimeout, nextState } from "./connection-state.ts";
import { insert, isFoundReply, lookup, makeRoom, remove } from "./conntrack.ts";
import { destinationAddress, flight, sourceAddress } from "./flight.ts";
import { processKnown } from "./known.ts";
import { settleSource } from "./nat.ts";
import { board, insertFailed, isAskedBeforeConntrack, newPath, pathTaken, REPLY, runBeforeConntrack } from "./path.ts";
import {
  CT_FLAG_CLOSE_BEGUN,
  CT_FLAG_DNAT,
  CT_FLAG_IPVS,
  CT_FLAG_LAST_RST,
  CT_FLAG_MASQUERADE,
  CT_FLAG_SNAT,
  TCP_STATE_CLOSE,
  TCP_STATE_SYN_SENT,
  TCP_STATE_TIME_WAIT,
} from "./shared/conntrack-layout.ts";
import {
  ACTION_ACCEPT,
  ACTION_DNAT,
  ACTION_DROP,
  ACTION_NONE,
  ACTION_REJECT,
  CLASS_SCTP,
  CLASS_TCP,
  CONNECTION_INVALID,
  CONNECTION_NEW,
  CONNECTION_UNTRACKED,
  COUNTER_CONNTRACK_FULL,
  COUNTER_INVALID,
  COUNTER_NEW,
  COUNTER_PACKETS,
  COUNTER_UNTRACKED,
  PACKET_CLASS,
  PACKET_TCP_FLAGS,
  PATH_FORWARD,
  PATH_INPUT,
  PATH_LOOPBACK,
  PATH_OUTPUT,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_UNTRACKED,
} from "./shared/layout.ts";
import { count, engine } from "./state.ts";
import { CtEntry } from "./structs.ts";
import { STATE_IGNORE, STATE_INVALID } from "./tcp.ts";
import { writeTranslation, writeUntranslated, writeVerdict } from "./verdict.ts";

/** Any packet, the whole way. `tag`: that of its tuple. */
export function processPacket<A>(packet: usize, verdict: usize, tag: u32): void {
  const rest = packet + 2 * offsetof<A>();
  const ofClass = load<u32>(rest, PACKET_CLASS);
  const header: u32 = load<u8>(rest, PACKET_TCP_FLAGS);
  count(COUNTER_PACKETS);
  if (ofClass - CLASS_TCP > CLASS_SCTP - CLASS_TCP) {
    refuseUnknown<A>(packet, verdict);
    return;
  }
  if (isAskedBeforeConntrack<A>()) {
    board<A>(packet, false);
    const refused = runBeforeConntrack<A>(packet);
    if (refused != ACTION_NONE || flight.conntrackState == STATE_BIT_UNTRACKED) {
      const action = refused != ACTION_NONE ? refused : newPath<A>(packet, false);
      passUntracked<A>(packet, verdict, action, CONNECTION_UNTRACKED);
      count(COUNTER_UNTRACKED);
      return;
    }
  }
  const entry = lookup<A>(packet, ofClass, tag);
  if (entry != 0) {
    const isReply = isFoundReply();
    let next = nextState(changetype<CtEntry>(entry), isReply, header);
    if (next == STATE_INVALID) {
      processInvalid<A>(packet, verdict);
      return;
    }
    const isOver = ofClass == CLASS_TCP && next == TCP_STATE_SYN_SENT && isClosed(changetype<CtEntry>(entry));
    if (isOver && mayBeginAgain(changetype<CtEntry>(entry))) {
      remove<A>(entry);
    } else {
      if (isOver) next = STATE_IGNORE;
      processKnown<A>(packet, verdict, entry, isReply, next, header);
      return;
    }
  }
  const state = firstState(ofClass, header);
  if (state == STATE_INVALID) processInvalid<A>(packet, verdict);
  else processNew<A>(packet, verdict, tag, state);
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
  writeUntranslated<A>(verdict, packet);
  writeVerdict(verdict, ACTION_DROP, CONNECTION_INVALID, false, 0, 0);
  count(COUNTER_INVALID);
}

function processInvalid<A>(packet: usize, verdict: usize): void {
  board<A>(packet, true);
  flight.conntrackState = STATE_BIT_INVALID;
  passUntracked<A>(packet, verdict, newPath<A>(packet, false), CONNECTION_INVALID);
  count(COUNTER_INVALID);
}

/** No connection has the packet: nothing translates it. `refused`: what newPath said. */
function passUntracked<A>(packet: usize, verdict: usize, refused: u32, connection: u32): void {
  writeUntranslated<A>(verdict, packet);
  const isAccepted = refused == ACTION_NONE;
  const servicePort = isAccepted ? flight.acceptedServicePort : flight.servicePort;
  writeVerdict(verdict, isAccepted ? ACTION_ACCEPT : refused, connection, false, servicePort, flight.rulesEvaluated);
}

function processNew<A>(packet: usize, verdict: usize, tag: u32, state: u32): void {
  board<A>(packet, true);
  flight.tag = tag;
  let action: u32 = ACTION_NONE;
  if (!makeRoom<A>()) {
    count(COUNTER_CONNTRACK_FULL);
    action = ACTION_DROP;
  } else {
    flight.conntrackState = STATE_BIT_NEW;
    action = newPath<A>(packet, true);
    if (action == ACTION_NONE) action = confirm<A>(packet, state);
  }
  const isRefused = action == ACTION_DROP || action == ACTION_REJECT;
  if (isRefused) writeUntranslated<A>(verdict, packet);
  else writeTranslation<A>(verdict, sourceAddress(), destinationAddress(), flight.sourcePort | (flight.destinationPort << 16));
  const servicePort = isRefused || flight.isDnat ? flight.servicePort : flight.acceptedServicePort;
  writeVerdict(verdict, action, CONNECTION_NEW, !isRefused && flight.isMasquerade, servicePort, flight.rulesEvaluated);
}

/** Enters the connection of a packet that got through. @inline */
function confirm<A>(packet: usize, state: u32): u32 {
  if (!settleSource<A>(REPLY)) return insertFailed();
  const entry = insert<A>(flight.class, packet, flight.tag, REPLY, flight.replyTag);
  if (entry == 0) return insertFailed();
  const record = changetype<CtEntry>(entry);
  const fromHere = flight.isSourceLocal;
  const toHere = flight.isDestinationLocal; // where replies begin
  record.pathOriginal = <u8>pathTaken();
  record.pathReply = <u8>(fromHere ? (toHere ? PATH_LOOPBACK : PATH_INPUT) : toHere ? PATH_OUTPUT : PATH_FORWARD);
  let flags: u32 = 0;
  if (flight.isMasquerade) flags |= CT_FLAG_MASQUERADE;
  if (flight.newSource != 0) flags |= CT_FLAG_SNAT;
  if (flight.isDnat) flags |= CT_FLAG_DNAT;
  if (flight.isIpvs) flags |= CT_FLAG_IPVS;
  record.flags = <u16>flags;
  record.servicePort = flight.isDnat ? flight.servicePort : flight.acceptedServicePort;
  record.startedAt = engine.now;
  record.packetsOriginal = 1;
  record.state = <u8>state;
  record.expiresAt = engine.now + firstTimeout(flight.class, state);
  count(COUNTER_NEW);
  return flight.isDnat ? ACTION_DNAT : ACTION_ACCEPT;
}
