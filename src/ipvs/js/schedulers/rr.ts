// ip_vs_rr, round robin: the next usable server after the last one taken.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable } from '../server.ts';

const BEFORE_FRONT = -1;

export function bindRr(service: ServiceView): Scheduler {
  let position = BEFORE_FRONT;

  /** Where the round goes on. */
  function next(): number | undefined {
    const { servers } = service;
    for (let step = 1; step <= servers.length; step++) {
      const index = (position + step) % servers.length;
      const server = servers[index];
      if (server !== undefined && isUsable(server)) return index;
    }
    return undefined;
  }

  return {
    pick() {
      const index = next();
      if (index === undefined) return undefined;
      position = index;
      return service.servers[index];
    },
    peek() {
      const index = next();
      return index === undefined ? undefined : service.servers[index];
    },
    serverAdded() {
      if (position !== BEFORE_FRONT) position += 1;
    },
    serverRemoved(index) {
      if (index <= position) position -= 1;
    },
  };
}
