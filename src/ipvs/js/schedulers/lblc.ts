// ip_vs_lblc, locality-based least connections: a destination keeps its server until that is crowded.
import type { Namespace } from '../namespace.ts';
import type { Scheduler, ServiceView } from '../scheduler.ts';
import type { Server } from '../server.ts';
import { DestinationCache, isCrowded } from './destination-cache.ts';
import { connectionLoad, leastLoaded } from './load.ts';

export function bindLblc(service: ServiceView, namespace: Namespace): Scheduler {
  const cache = new DestinationCache<Server>(namespace, 'lblc_expiration', (server) => namespace.release(server));
  // The mark `over` is not looked at here, as in the kernel.
  const mayKeep = (cached: Server | undefined) => cached?.isAvailable && cached.weight > 0 && !isCrowded(cached, service);

  return {
    pick({ destination }) {
      const cached = cache.get(destination);
      if (mayKeep(cached)) return cached;
      const server = leastLoaded(service.servers, connectionLoad);
      if (server === undefined) return undefined;
      namespace.refer(server);
      cache.set(destination, server);
      return server;
    },
    peek({ destination }) {
      const cached = cache.peek(destination);
      return mayKeep(cached) ? cached : leastLoaded(service.servers, connectionLoad);
    },
    unbind: () => cache.clear(),
  };
}
