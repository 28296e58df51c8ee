// ip_vs_lblcr, the same with replication: a destination has a set of servers that grows when they are crowded, and shrinks with time.
import type { Namespace } from '../namespace.ts';
import type { Scheduler, ServiceView } from '../scheduler.ts';
import type { Server } from '../server.ts';
import { DestinationCache, isCrowded } from './destination-cache.ts';
import { connectionLoad, isLessLoaded, leastLoaded } from './load.ts';

/** The servers of one destination, newest member first. */
interface ServerSet {
  readonly members: Server[];
  /** When a member came or went. */
  lastChange: number;
}

export function bindLblcr(service: ServiceView, namespace: Namespace): Scheduler {
  const cache = new DestinationCache<ServerSet>(namespace, 'lblcr_expiration', ({ members }) => {
    for (const member of members) namespace.release(member);
  });

  function include(set: ServerSet, server: Server): void {
    if (set.members.includes(server)) return;
    namespace.refer(server);
    set.members.unshift(server);
    set.lastChange = namespace.now;
  }

  /** One member goes when the set has not changed for long; the choice of this connection was made before. */
  function shrink(set: ServerSet): void {
    const isStale = namespace.now > set.lastChange + namespace.sysctls.lblcr_expiration * 1000;
    const member = set.members.length > 1 && isStale ? mostLoaded(set.members) : undefined;
    if (member === undefined) return;
    set.members.splice(set.members.indexOf(member), 1);
    set.lastChange = namespace.now;
    namespace.release(member);
  }

  /** Of the set, unless it is crowded. */
  function memberOf(set: ServerSet | undefined): Server | undefined {
    const member = leastLoaded((set?.members ?? []).filter(isAvailable), connectionLoad);
    return member === undefined || isCrowded(member, service) ? undefined : member;
  }

  return {
    pick({ destination }) {
      const set = cache.get(destination);
      if (set !== undefined) {
        const member = memberOf(set);
        shrink(set);
        if (member !== undefined) return member;
      }
      const server = leastLoaded(service.servers, connectionLoad);
      if (server === undefined) return undefined;
      const grown = set ?? { members: [], lastChange: namespace.now };
      include(grown, server);
      if (set === undefined) cache.set(destination, grown);
      return server;
    },
    peek: ({ destination }) => memberOf(cache.peek(destination)) ?? leastLoaded(service.servers, connectionLoad),
    unbind: () => cache.clear(),
  };
}

function isAvailable(server: Server): boolean {
  return server.isAvailable;
}

/** The highest load for its weight among the members of weight above 0, removed ones too; the first of several. */
function mostLoaded(members: readonly Server[]): Server | undefined {
  let most: Server | undefined;
  for (const member of members) {
    if (member.weight > 0 && (most === undefined || isLessLoaded(most, member, connectionLoad))) most = member;
  }
  return most;
}
