// The view that trace foresees a packet with: what the core would find, asked for without moving anything.
import { ROOM_FREE } from '../../../assembly/shared/conntrack-layout.ts';
import type { Family } from '../../address.ts';
import type { TransportProtocol } from '../../packet.ts';
import type { EngineView, Room, TupleText } from '../engine.ts';
import type { Core } from './core.ts';
import type { EngineState } from './engine-state.ts';
import type { FamilyTables } from './family-tables.ts';
import type { NodeIpvs } from './node-ipvs.ts';

export interface Viewed {
  readonly core: Core;
  readonly state: EngineState;
  readonly ipvs: NodeIpvs;
  readonly families: Readonly<Record<Family, FamilyTables>>;
}

/** A live view: it shows what the engine holds when it is asked. `now`: milliseconds on the engine's clock. */
export function engineView(viewed: Viewed, family: Family, now: number): EngineView {
  const { state, ipvs, families } = viewed;
  const { connections, recentLists, sightings } = families[family];
  return {
    randomState: state.random,
    roomFor: (protocol, tuple) => roomFor(viewed, family, protocol, tuple, now),
    findConnection: (protocol, tuple) => connections.find(protocol, tuple, now),
    recentSighting: (list, source) => recentLists.lastSeen(list, source) ?? sightings.lastSeen(list, source),
    foreseeIpvs: (protocol, tuple, header, isConfirmed) => ipvs.foresee(protocol, tuple, header, isConfirmed),
    realServers: (protocol, address, port) => ipvs.realServers(protocol, address, port),
  };
}

function roomFor({ core, families }: Viewed, family: Family, protocol: TransportProtocol, tuple: TupleText, now: number): Room | undefined {
  // An expired holder of the tuple is gone before room is made.
  const entry = families[family].connections.holdsExpired(protocol, tuple, now) ? ROOM_FREE : core.foreseeRoom(family, now);
  if (entry === 0) return undefined;
  const owner = Object.values(families).find((each) => each.hasConnections && each.connections.holds(entry));
  return owner === undefined ? {} : { evicted: owner.connections.read(entry, now) };
}
