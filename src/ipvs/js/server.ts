// A real server as the TypeScript engine keeps it: its settings, its counters, and the mark `over` of its thresholds.
import type { ServerKey, ServerSettings } from '../keys.ts';

export interface Server {
  readonly key: ServerKey;
  /** Unique among the servers of all services: a server that comes back to its service has the same. */
  readonly name: string;
  /** 0: quiescent. */
  weight: number;
  /** The last weight that was not 0; at adding, the weight given. What mh fills its table by. */
  lastWeight: number;
  upperThreshold: number;
  lowerThreshold: number;
  /** All its entries in the connection table but templates. */
  total: number;
  active: number;
  /** It reached its upper threshold and has not yet fallen below the lower one. */
  isOver: boolean;
  /** It is in its service's list. A removed server is kept aside while something refers to it. */
  isAvailable: boolean;
  /** Connections, templates and cached choices that refer to it. */
  referenceCount: number;
}

export function createServer(serviceId: string, key: ServerKey): Server {
  return {
    key,
    name: serverName(serviceId, key),
    weight: 0,
    lastWeight: 0,
    upperThreshold: 0,
    lowerThreshold: 0,
    total: 0,
    active: 0,
    isOver: false,
    isAvailable: false,
    referenceCount: 0,
  };
}

export function serverName(serviceId: string, key: ServerKey): string {
  return `${serviceId} ${key.id}`;
}

/** Sets weight and thresholds. `isAdded`: also a weight of 0 is remembered as the last one. */
export function configureServer(server: Server, settings: ServerSettings, isAdded: boolean): void {
  server.weight = settings.weight;
  if (isAdded || settings.weight > 0) server.lastWeight = settings.weight;
  server.upperThreshold = settings.upperThreshold;
  server.lowerThreshold = settings.lowerThreshold;
  if (server.upperThreshold === 0) server.isOver = false;
  else if (server.total >= server.upperThreshold) server.isOver = true;
  else if (server.total < lowMark(server)) server.isOver = false;
}

/** A new connection, inactive at first. */
export function countConnection(server: Server): void {
  server.total += 1;
  if (server.upperThreshold > 0 && server.total === server.upperThreshold) server.isOver = true;
}

/** A connection left the table. */
export function uncountConnection(server: Server, wasActive: boolean): void {
  if (wasActive) server.active -= 1;
  if (server.total === lowMark(server)) server.isOver = false;
  server.total -= 1;
}

/** May be given new connections. */
export function isUsable(server: Server): boolean {
  return server.weight > 0 && !server.isOver;
}

function lowMark({ upperThreshold, lowerThreshold }: Server): number {
  return lowerThreshold > 0 ? lowerThreshold : upperThreshold - Math.floor(upperThreshold / 4);
}
