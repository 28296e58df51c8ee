// ip_vs_wrr, weighted round robin: rounds at falling levels, each giving one visit to the servers of at least that weight.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import type { Server } from '../server.ts';

const BEFORE_FRONT = -1;

export function bindWrr(service: ServiceView): Scheduler {
  let position = BEFORE_FRONT;
  let gcd = weightGcd(service.servers);
  let topLevel = topLevelOf(service.servers, gcd);
  let level = topLevel;

  /** The level outlives a change of the servers, which is why the first round of a service does not begin at the top. */
  function serversChanged(): void {
    position = BEFORE_FRONT;
    gcd = weightGcd(service.servers);
    topLevel = topLevelOf(service.servers, gcd);
    if (level > topLevel || level === 0) level = topLevel;
    else if (gcd > 1) level = Math.floor(level / gcd) * gcd + 1;
  }

  /** After a round without a server: the last level before one that serves somebody, or before the last one of all. */
  function levelBeforeNext(): number {
    const highest = Math.max(1, ...service.servers.filter(({ isOver }) => !isOver).map(({ weight }) => weight));
    return level - Math.max(0, Math.ceil((level - highest) / gcd) - 1) * gcd;
  }

  function pick(): Server | undefined {
    if (topLevel === 0) return undefined;
    const start = position;
    let hasRestarted = false;
    let isLastPass = false;
    while (true) {
      for (const [offset, server] of service.servers.slice(position + 1).entries()) {
        const index = position + 1 + offset;
        if (!server.isOver && server.weight >= level) {
          position = index;
          return server;
        }
        if (isLastPass && hasRestarted && index === start) {
          position = start;
          return undefined;
        }
      }
      if (position === BEFORE_FRONT) level = levelBeforeNext();
      position = BEFORE_FRONT;
      level -= gcd;
      if (level <= 0) {
        level = topLevel;
        if (isLastPass || start === BEFORE_FRONT) return undefined;
        hasRestarted = true;
      }
      isLastPass = level <= gcd;
    }
  }

  return {
    pick,
    peek() {
      const before = { position, level };
      const server = pick();
      ({ position, level } = before);
      return server;
    },
    serverAdded: serversChanged,
    serverRemoved: serversChanged,
    serverEdited: serversChanged,
  };
}

function topLevelOf(servers: readonly Server[], gcd: number): number {
  return Math.max(0, ...servers.map(({ weight }) => weight)) - (gcd - 1);
}

/** Of the positive weights; 1 when there are none. */
function weightGcd(servers: readonly Server[]): number {
  return servers.reduce((gcd, { weight }) => greatestCommonDivisor(gcd, weight), 0) || 1;
}

/** 0 is neutral. */
export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
