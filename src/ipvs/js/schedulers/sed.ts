// ip_vs_sed, shortest expected delay: the smallest load with this connection on it; inactive ones do not count.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { expectedLoad, leastLoaded } from './load.ts';

export function bindSed(service: ServiceView): Scheduler {
  return { pick: () => leastLoaded(service.servers, expectedLoad) };
}
