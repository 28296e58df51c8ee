// The schedulers by their numbers: who picks, and who hears when the list of servers changed.
import {
  IPVS_SCHEDULER_DH,
  IPVS_SCHEDULER_FO,
  IPVS_SCHEDULER_LBLC,
  IPVS_SCHEDULER_LBLCR,
  IPVS_SCHEDULER_LC,
  IPVS_SCHEDULER_MH,
  IPVS_SCHEDULER_NQ,
  IPVS_SCHEDULER_OVF,
  IPVS_SCHEDULER_RR,
  IPVS_SCHEDULER_SED,
  IPVS_SCHEDULER_SH,
  IPVS_SCHEDULER_TWOS,
  IPVS_SCHEDULER_WLC,
  IPVS_SCHEDULER_WRR,
} from "../shared/ipvs-layout.ts";
import { forgetDestinations } from "./destination-cache.ts";
import { fillDh, pickDh } from "./schedulers/dh.ts";
import { pickFo } from "./schedulers/fo.ts";
import { pickLblc } from "./schedulers/lblc.ts";
import { pickLblcr } from "./schedulers/lblcr.ts";
import { pickLc } from "./schedulers/lc.ts";
import { fillMh, pickMh } from "./schedulers/mh.ts";
import { pickNq } from "./schedulers/nq.ts";
import { pickOvf } from "./schedulers/ovf.ts";
import { bindRr, pickRr, serverAddedRr, serverRemovedRr } from "./schedulers/rr.ts";
import { pickSed } from "./schedulers/sed.ts";
import { fillSh, pickSh } from "./schedulers/sh.ts";
import { pickTwos } from "./schedulers/twos.ts";
import { pickWlc } from "./schedulers/wlc.ts";
import { bindWrr, pickWrr, serversChangedWrr } from "./schedulers/wrr.ts";
import { noServer } from "./servers.ts";
import { Namespace, Server, Service } from "./structs.ts";

/** The server of a new connection; none when no server is usable. */
export function pick(namespace: Namespace, service: Service, packet: usize): Server {
  if (service.isStale != 0) fillTable(service);
  if (namespace.isForeseeing != 0) return foresee(namespace, service, packet);
  return choose(namespace, service, packet);
}

/** The choice alone: where a round stands and what was drawn are put back. */
function foresee(namespace: Namespace, service: Service, packet: usize): Server {
  const random = namespace.random;
  const position = service.position;
  const level = service.level;
  const server = choose(namespace, service, packet);
  namespace.random = random;
  service.position = position;
  service.level = level;
  return server;
}

function choose(namespace: Namespace, service: Service, packet: usize): Server {
  switch (service.scheduler) {
    case IPVS_SCHEDULER_RR:
      return pickRr(service);
    case IPVS_SCHEDULER_WRR:
      return pickWrr(service);
    case IPVS_SCHEDULER_LC:
      return pickLc(service);
    case IPVS_SCHEDULER_WLC:
      return pickWlc(service);
    case IPVS_SCHEDULER_LBLC:
      return pickLblc(namespace, service, packet);
    case IPVS_SCHEDULER_LBLCR:
      return pickLblcr(namespace, service, packet);
    case IPVS_SCHEDULER_DH:
      return pickDh(service, packet);
    case IPVS_SCHEDULER_SH:
      return pickSh(service, packet);
    case IPVS_SCHEDULER_SED:
      return pickSed(service);
    case IPVS_SCHEDULER_NQ:
      return pickNq(service);
    case IPVS_SCHEDULER_FO:
      return pickFo(service);
    case IPVS_SCHEDULER_OVF:
      return pickOvf(service);
    case IPVS_SCHEDULER_MH:
      return pickMh(service, packet);
    case IPVS_SCHEDULER_TWOS:
      return pickTwos(namespace, service);
    default:
      return noServer();
  }
}

/** Its scheduler takes nodes of the destination cache. */
export function remembersDestinations(service: Service): bool {
  return service.scheduler == IPVS_SCHEDULER_LBLC || service.scheduler == IPVS_SCHEDULER_LBLCR;
}

/** A scheduler begins, over the servers that the service has. */
export function bindScheduler(namespace: Namespace, service: Service): void {
  service.boundAt = namespace.now;
  service.isStale = 1;
  if (service.scheduler == IPVS_SCHEDULER_RR) bindRr(service);
  else if (service.scheduler == IPVS_SCHEDULER_WRR) bindWrr(service);
}

/** The service goes, or takes another scheduler: let go of all servers. */
export function unbindScheduler(namespace: Namespace, service: Service): void {
  if (remembersDestinations(service)) forgetDestinations(namespace, service);
}

/** A server was added, at the front. */
export function serverAdded(service: Service): void {
  if (service.scheduler == IPVS_SCHEDULER_RR) serverAddedRr(service);
  else serverEdited(service);
}

/** The server that stood at `number` is gone. */
export function serverRemoved(service: Service, number: u32): void {
  if (service.scheduler == IPVS_SCHEDULER_RR) serverRemovedRr(service, number);
  else serverEdited(service);
}

/** Weight or thresholds of a server were set, perhaps to what they were. */
export function serverEdited(service: Service): void {
  service.isStale = 1;
  if (service.scheduler == IPVS_SCHEDULER_WRR) serversChangedWrr(service);
}

/** Of the schedulers that have one: when it is needed, as servers come many at a time. */
function fillTable(service: Service): void {
  service.isStale = 0;
  if (service.scheduler == IPVS_SCHEDULER_SH) fillSh(service);
  else if (service.scheduler == IPVS_SCHEDULER_DH) fillDh(service);
  else if (service.scheduler == IPVS_SCHEDULER_MH) fillMh(service);
}
