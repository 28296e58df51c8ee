// ip_vs_twos, the power of two choices: two servers drawn by weight, and the less loaded of them.
import type { Namespace } from '../namespace.ts';
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable, type Server } from '../server.ts';
import { connectionLoad, isLessLoaded } from './load.ts';

const HIGHEST_TOTAL = 0xfffffffe;

export function bindTwos(service: ServiceView, namespace: Namespace): Scheduler {
  function pick(): Server | undefined {
    const servers = service.servers.filter(isUsable);
    if (servers.length === 0) return undefined;
    const total = Math.min(
      HIGHEST_TOTAL,
      servers.reduce((sum, { weight }) => sum + weight, 0),
    );
    const first = serverAt(servers, drawUpTo(total, namespace));
    const second = serverAt(servers, drawUpTo(total, namespace));
    if (first === undefined || second === undefined) return first;
    return isLessLoaded(second, first, connectionLoad) ? second : first;
  }

  return {
    pick,
    peek() {
      const { state } = namespace.random;
      const server = pick();
      namespace.random.state = state;
      return server;
    },
  };
}

/** 0 to `highest`, inclusive: the front server has one chance more than its weight. */
function drawUpTo(highest: number, namespace: Namespace): number {
  return Number((BigInt(namespace.drawRandom()) * BigInt(highest + 1)) >> 32n);
}

/** The first server where the running sum of weights reaches `target`. */
function serverAt(servers: readonly Server[], target: number): Server | undefined {
  let sum = 0;
  return servers.find(({ weight }) => {
    sum += weight;
    return sum >= target;
  });
}
