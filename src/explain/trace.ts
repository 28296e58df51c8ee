// trace: the way one packet would take right now, every rule it would meet, and the verdict that processing it would give.
// It moves nothing: what the engine remembers comes through its view.
import type { Trace } from '../dataplane-types.ts';
import type { EngineView, FoundConnection, TrackedConnection, TupleText } from '../engine/engine.ts';
import type { Packet, Verdict } from '../packet.ts';
import { firstState, nextState } from '../program/connection-states.ts';
import type { Program } from '../program/program.ts';
import { endpointText } from './chains.ts';
import { decision } from './explain.ts';
import { ForeseenChoices } from './foreseen.ts';
import { walkBeforeConntrack, walkHooks, walkKnownPath } from './hooks.ts';
import { beginPacket, type Endpoint, type WalkedPacket } from './packet.ts';
import { indexOfProgram, type ProgramIndex } from './program-index.ts';
import type { Walk } from './walk.ts';
import { beginWay, note, refuse, stepsOf, type Way } from './way.ts';

/** What an engine's view does not tell. */
export interface TraceConditions {
  /** The engine's clock, in milliseconds. */
  readonly now: number;
  /** nf_conntrack_tcp_loose; default true. */
  readonly tcpLoose?: boolean;
}

export function tracePacket(program: Program, packet: Packet, view: EngineView, conditions: TraceConditions): Trace {
  const index = indexOfProgram(program);
  const walked = beginPacket(packet, program.family);
  const hit = view.findConnection(packet.protocol, tupleOf(walked));
  const role = hit === undefined ? 'new' : roleOf(hit, packet);
  // A connection that begins again leaves its own place first: there is room.
  const room = role === 'new' ? view.roomFor(packet.protocol, tupleOf(walked)) : {};
  const chooser = new ForeseenChoices(view, conditions.now, role === 'beginsAgain' ? hit?.connection : room?.evicted);
  const walk: Walk = { index, chooser, keepsAll: true };
  const way = theWay(walkBeforeConntrack(walk, beginWay(walked), packet.hook));
  if (way.refusal !== undefined) {
    way.packet.state = 'UNTRACKED';
    return traceOf(way);
  }
  if (way.packet.state === 'UNTRACKED') {
    note(way, () => ({ kind: 'conntrack', text: 'does not see the packet', connection: 'UNTRACKED' }));
    return traceOf(theWay(walkHooks(walk, way, packet.hook)));
  }
  if (hit !== undefined && role === 'known') return traceKnown(walk, way, view, hit);

  const canBegin = firstState(packet, conditions.tcpLoose ?? true) !== 'INVALID';
  const isInvalid = role === 'invalid' || !canBegin;
  const connection = isInvalid ? 'INVALID' : 'NEW';
  way.packet.state = connection;
  note(way, () => ({ kind: 'conntrack', text: unknownText(role, isInvalid), connection }));
  if (!isInvalid && room === undefined) {
    note(way, () => ({ kind: 'conntrack', text: 'the table is full (nf_conntrack_max)', connection: 'NEW' }));
    return traceOf(refuse(way, 'DROP'));
  }
  return traceOf(theWay(walkHooks(walk, way, packet.hook)));
}

/** Where nothing is left to chance there is one. */
function theWay([way, ...others]: readonly Way[]): Way {
  if (way === undefined || others.length > 0) throw new Error(`a traced packet has ${others.length + (way === undefined ? 0 : 1)} ways`);
  return way;
}

/** What the packet is to the connection that has its tuple. */
function roleOf({ connection, direction, isOver }: FoundConnection, packet: Packet): 'known' | 'invalid' | 'beginsAgain' {
  const { state } = connection;
  const next = nextState(direction, packet, state);
  if (next === 'INVALID') return 'invalid';
  return next === 'SYN_SENT' && isOver && (state === 'TIME_WAIT' || state === 'CLOSE') ? 'beginsAgain' : 'known';
}

function unknownText(role: 'new' | 'known' | 'invalid' | 'beginsAgain', isInvalid: boolean): string {
  if (role === 'beginsAgain') return 'a closed connection begins again';
  if (role === 'invalid') return 'the packet does not fit the state of its connection';
  return isInvalid ? 'no known connection, and the packet cannot begin one' : 'no known connection';
}

function traceKnown(walk: Walk, way: Way, view: EngineView, { connection, direction, path, viaIpvs, snat }: FoundConnection): Trace {
  const { packet } = way;
  const { index } = walk;
  const isOriginal = direction === 'original';
  const kind = isOriginal ? 'ESTABLISHED' : 'REPLY';
  const to = leavingAs(isOriginal ? connection.reply : connection.original, index);
  const isAnswered = !isOriginal || connection.seenReply;
  const state = `${connection.state === undefined ? '' : ` in state ${connection.state}`}${isAnswered ? '' : ', not answered yet'}`;
  note(way, () => ({ kind: 'conntrack', text: `known connection${state}, ${direction} direction`, connection: kind }));
  packet.state = isAnswered ? 'ESTABLISHED' : 'NEW';
  packet.isDnat = connection.dnat;
  packet.isSnat = snat;
  if (viaIpvs) packet.virtual = { address: index.address(connection.original.destination), port: connection.original.destinationPort };
  const known = isAnswered ? (index.established.paths[path] ?? 'run') : 'run';
  const refusal = (known === 'run' ? theWay(walkKnownPath(walk, way, path, to)) : way).refusal;
  const end = refusal ?? (viaIpvs && isOriginal ? followIpvs(way, view, connection) : undefined);
  if (end === undefined) {
    note(way, () => ({ kind: 'translation', text: `leaves as ${endpointText(to.source)} to ${endpointText(to.destination)}` }));
  }
  const isDnat = end === undefined && isOriginal && connection.dnat;
  const servicePort = end === undefined ? connection.servicePort : packet.servicePort;
  const verdict: Verdict = {
    action: end ?? (isDnat ? 'DNAT' : 'ACCEPT'),
    connection: kind,
    ...(servicePort === undefined ? {} : { servicePort }),
    ...(isDnat ? { backend: { address: to.destination.address.text, port: to.destination.port } } : {}),
    masquerade: connection.masquerade && end !== 'ACCEPT',
    translated: tupleOf(end === undefined ? to : packet.arrived),
    rulesEvaluated: known === 'run' ? packet.rulesEvaluated : known,
  };
  return { verdict, steps: stepsOf(way) };
}

/** How a client's packet ends in IPVS, which made its connection; ACCEPT: on the node itself. Undefined: it goes on to its server. */
function followIpvs(way: Way, view: EngineView, { protocol, original }: TrackedConnection): Verdict['action'] | undefined {
  const end = (action: Verdict['action'], text: string) => {
    note(way, () => ({ kind: 'ipvs', text }));
    return action;
  };
  switch (view.foreseeIpvs(protocol, original, way.packet, true).kind) {
    case 'drop':
      return end('DROP', 'IPVS has ended the connection, and drops the packet');
    case 'noServer':
      return end('REJECT', 'IPVS has no usable server for the connection');
    case 'leave':
      return end('ACCEPT', 'IPVS has no services any more: the packet ends on the node');
    case 'forward':
      return undefined;
  }
}

function traceOf(way: Way): Trace {
  const { packet, refusal } = way;
  const verdict: Verdict = {
    ...decision(way),
    connection: packet.state,
    translated: tupleOf(refusal === undefined ? packet : packet.arrived),
    rulesEvaluated: packet.rulesEvaluated,
  };
  return { verdict, steps: stepsOf(way) };
}

/** A packet leaves with the tuple of the other direction turned round. */
function leavingAs(other: TupleText, index: ProgramIndex): { readonly source: Endpoint; readonly destination: Endpoint } {
  return {
    source: { address: index.address(other.destination), port: other.destinationPort },
    destination: { address: index.address(other.source), port: other.sourcePort },
  };
}

function tupleOf({ source, destination }: Pick<WalkedPacket, 'source' | 'destination'>): TupleText {
  return {
    source: source.address.text,
    sourcePort: source.port,
    destination: destination.address.text,
    destinationPort: destination.port,
  };
}
