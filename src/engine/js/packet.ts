// One packet: what stands before conntrack, conntrack, then the hooks, then a new conntrack entry.
import { PATH_FORWARD, PATH_INPUT, PATH_LOOPBACK, PATH_OUTPUT } from '../../../assembly/shared/layout.ts';
import type { Action, ConnectionState } from '../../packet.ts';
import { firstState } from '../../program/connection-states.ts';
import type { ConntrackTimeouts } from '../engine.ts';
import { type PacketRole, refresh, roleOf, timeoutMs } from './connection-state.ts';
import type { Connection, Hit } from './conntrack.ts';
import type { Flight, Tuple } from './flight.ts';
import { replyTuple, type Surroundings, settleSource } from './nat.ts';
import { walkBeforeConntrack, walkKnownPath, walkNewPath } from './path.ts';
import type { Refusal } from './ruleset.ts';

export interface PacketVerdict {
  readonly action: Action;
  readonly connection: ConnectionState;
  /** The number of the ServicePort, 0 for none. */
  readonly servicePort: number;
  readonly isMasquerade: boolean;
  /** A refused packet stays as it came. */
  readonly translated: Tuple;
  readonly rulesEvaluated: number;
}

export interface ConntrackSettings {
  readonly timeouts: ConntrackTimeouts;
  readonly tcpLoose: boolean;
}

export function processPacket(flight: Flight, surroundings: Surroundings, settings: ConntrackSettings): PacketVerdict {
  const { conntrack, program, state } = surroundings;
  if (program.isAskedBeforeConntrack) {
    const refusal = walkBeforeConntrack(flight, surroundings);
    if (refusal !== undefined) return untranslated(flight, 'UNTRACKED', refusal);
    if (flight.state === 'UNTRACKED') return untranslated(flight, 'UNTRACKED', walkNewPath(flight, surroundings));
    flight.state = 'NEW';
  }
  const hit = conntrack.lookup(flight.protocol, flight.arrived, state.now);
  if (hit !== undefined) {
    const role = roleOf(hit, flight);
    if (role === 'invalid') return processInvalid(flight, surroundings);
    if (role !== 'beginsAgain') return processKnown(flight, hit, role, surroundings, settings);
    conntrack.remove(hit.connection);
  }
  const first = firstState(flight, settings.tcpLoose);
  if (first === 'INVALID') return processInvalid(flight, surroundings);
  return processNew(flight, first, surroundings, settings);
}

function processKnown(flight: Flight, hit: Hit, role: PacketRole, surroundings: Surroundings, settings: ConntrackSettings): PacketVerdict {
  const { connection, direction } = hit;
  const { conntrack, program, state } = surroundings;
  const isAnswered = direction === 'reply' || connection.seenReply;
  refresh(conntrack, hit, flight, role, settings.timeouts, state.now);
  const translated = swapTuple(direction === 'original' ? connection.reply : connection.original);
  const path = connection.paths[direction];
  const known = isAnswered ? (program.established[path] ?? 'run') : 'run';
  flight.state = isAnswered ? 'ESTABLISHED' : 'NEW';
  flight.isDnat = connection.isDnat;
  flight.isSnat = connection.isSnat;
  flight.virtual = connection.virtual;
  const refusal = known === 'run' ? walkKnownPath(flight, path, translated, surroundings) : undefined;
  const end = refusal ?? (connection.virtual === undefined ? undefined : followIpvs(flight, hit, surroundings));
  return {
    action: end ?? (direction === 'original' && connection.isDnat ? 'DNAT' : 'ACCEPT'),
    connection: direction === 'original' ? 'ESTABLISHED' : 'REPLY',
    servicePort: end === undefined ? connection.servicePort : flight.servicePort,
    isMasquerade: connection.isMasquerade && end !== 'ACCEPT',
    translated: end === undefined ? translated : flight.arrived,
    rulesEvaluated: known === 'run' ? flight.rulesEvaluated : known,
  };
}

/** IPVS sees the packets of connections that it made. How the packet ends there; ACCEPT: on the node itself, untranslated. */
function followIpvs(flight: Flight, { connection, direction }: Hit, { ipvs }: Surroundings): Refusal | 'ACCEPT' | undefined {
  const { protocol, original, reply } = connection;
  if (direction === 'reply') {
    // Conntrack has put the client's own address back by now, IPVS does so with the virtual one.
    const { source, sourcePort } = reply;
    ipvs.followServer(protocol, { source, sourcePort, destination: original.source, destinationPort: original.sourcePort }, flight);
    return undefined;
  }
  switch (ipvs.followClient(protocol, original, flight)) {
    case 'drop':
      return 'DROP';
    case 'noServer':
      return 'REJECT';
    case 'leave':
      return 'ACCEPT'; // IPVS has no services any more
    default:
      return undefined;
  }
}

function processInvalid(flight: Flight, surroundings: Surroundings): PacketVerdict {
  flight.state = 'INVALID';
  return untranslated(flight, 'INVALID', walkNewPath(flight, surroundings));
}

/** No connection has the packet: nothing translates it. */
function untranslated(flight: Flight, connection: 'INVALID' | 'UNTRACKED', refusal: Refusal | undefined): PacketVerdict {
  return {
    action: refusal ?? 'ACCEPT',
    connection,
    servicePort: refusal === undefined ? flight.acceptedServicePort : flight.servicePort,
    isMasquerade: false,
    translated: flight.arrived,
    rulesEvaluated: flight.rulesEvaluated,
  };
}

function processNew(flight: Flight, first: Connection['state'], surroundings: Surroundings, settings: ConntrackSettings): PacketVerdict {
  const { conntrack, state } = surroundings;
  if (!conntrack.makeRoom(surroundings.program.family, state.now)) {
    state.counters.conntrackFull++;
    return refuse(flight, 'DROP');
  }
  const refusal = walkNewPath(flight, surroundings);
  if (refusal !== undefined) return refuse(flight, refusal);
  if (!settleSource(flight, surroundings)) return refuse(flight, 'DROP');
  const connection = confirm(flight, first, surroundings, settings);
  conntrack.insert(connection);
  state.counters.newConnections++;
  return {
    action: connection.isDnat ? 'DNAT' : 'ACCEPT',
    connection: 'NEW',
    servicePort: connection.servicePort,
    isMasquerade: connection.isMasquerade,
    translated: swapTuple(connection.reply),
    rulesEvaluated: flight.rulesEvaluated,
  };
}

function refuse(flight: Flight, action: Refusal): PacketVerdict {
  const { servicePort, arrived, rulesEvaluated } = flight;
  return { action, connection: 'NEW', servicePort, isMasquerade: false, translated: arrived, rulesEvaluated };
}

/** The connection of a packet that got through. */
function confirm(flight: Flight, first: Connection['state'], { program, state }: Surroundings, settings: ConntrackSettings): Connection {
  const { localAddresses, family } = program;
  const reply = replyTuple(flight);
  const { protocol } = flight;
  const timeout = timeoutMs({ protocol, state: first, assured: false }, settings.timeouts, false);
  return {
    family,
    protocol,
    original: flight.arrived,
    reply,
    startedAt: state.now,
    paths: {
      original: flight.path,
      reply: replyPath(flight.isForProxy || localAddresses.has(reply.source), localAddresses.has(flight.arrived.source)),
    },
    isMasquerade: flight.sourceTranslation?.kind === 'masquerade',
    isDnat: flight.isDnat,
    isSnat: flight.isSnat,
    virtual: flight.virtual,
    servicePort: flight.isDnat ? flight.servicePort : flight.acceptedServicePort,
    state: first,
    seenReply: false,
    assured: false,
    closeBegun: false,
    lastWasReset: false,
    simultaneousOpen: false,
    expiresAt: state.now + timeout,
    packets: { original: 1, reply: 0 },
  };
}

/** Replies are routed by where they come from and, once translated back, go to. */
function replyPath(isFromNode: boolean, isToNode: boolean): number {
  if (isFromNode) return isToNode ? PATH_LOOPBACK : PATH_OUTPUT;
  return isToNode ? PATH_INPUT : PATH_FORWARD;
}

function swapTuple({ source, sourcePort, destination, destinationPort }: Tuple): Tuple {
  return { source: destination, sourcePort: destinationPort, destination: source, destinationPort: sourcePort };
}
