// What the outside may see of the engine: connections as text, and the view that trace foresees a packet with.
import { type Family, formatAddress } from '../../address.ts';
import type { EngineView, TrackedConnection, TupleText } from '../engine.ts';
import { loadAddress } from './addresses.ts';
import type { Connection } from './conntrack.ts';
import type { Tuple } from './flight.ts';
import type { NameTable } from './names.ts';
import type { Surroundings } from './nat.ts';

export function trackedConnection(connection: Connection, servicePorts: NameTable, now: number): TrackedConnection {
  const { family, protocol, original, reply, state, seenReply, assured } = connection;
  const servicePort = servicePorts.name(connection.servicePort);
  return {
    family,
    protocol,
    original: tupleText(original),
    reply: tupleText(reply),
    ...(state === undefined ? {} : { state }),
    seenReply,
    assured,
    masquerade: connection.isMasquerade,
    dnat: connection.isDnat,
    packets: { ...connection.packets },
    ...(servicePort === undefined ? {} : { servicePort }),
    expiresInMs: connection.expiresAt - now,
  };
}

/** A live view: it shows what the engine holds when it is asked. */
export function engineView({ program, conntrack, state, ipvs }: Surroundings, servicePorts: NameTable, now: number): EngineView {
  const { family } = program;
  return {
    randomState: state.random.state,
    roomFor: (protocol, tuple) => {
      const room = conntrack.foreseeRoom(family, protocol, loadTuple(tuple, family), now);
      return room?.evicted === undefined ? room && {} : { evicted: trackedConnection(room.evicted, servicePorts, now) };
    },
    findConnection: (protocol, tuple) => {
      const hit = conntrack.peek(protocol, loadTuple(tuple, family), now);
      if (hit === undefined) return undefined;
      const { connection, direction } = hit;
      return {
        connection: trackedConnection(connection, servicePorts, now),
        direction,
        path: connection.paths[direction],
        viaIpvs: connection.virtual !== undefined,
        snat: connection.isSnat,
        isOver: connection.closeBegun || connection.lastWasReset,
      };
    },
    recentSighting: (list, source) => program.recents.find(list)?.lastSeen(loadAddress(source, family, 'source')),
    foreseeIpvs: (protocol, tuple, header, isConfirmed) => ipvs.foresee(protocol, loadTuple(tuple, family), header, isConfirmed),
    realServers: (protocol, address, port) => ipvs.realServers(protocol, address, port),
  };
}

function tupleText({ source, sourcePort, destination, destinationPort }: Tuple): TupleText {
  return { source: formatAddress(source), sourcePort, destination: formatAddress(destination), destinationPort };
}

function loadTuple(tuple: TupleText, family: Family): Tuple {
  return {
    source: loadAddress(tuple.source, family, 'tuple.source'),
    sourcePort: tuple.sourcePort,
    destination: loadAddress(tuple.destination, family, 'tuple.destination'),
    destinationPort: tuple.destinationPort,
  };
}
