// The outcome of `svcplane ipvs simulate` for one service: what each server got, against what its scheduler aims at.

import { formatEndpoint } from '../address.ts';
import type { SchedulerName } from '../ipvs/keys.ts';
import type { ServiceEntry } from '../ipvs/registry.ts';
import { flagNames } from '../ipvs/settings.ts';
import type { ServerRef, ServerState } from '../ipvs/types.ts';
import { formatTable } from './table.ts';

export interface ServerShare {
  readonly server: string;
  readonly weight: number;
  readonly connections: number;
  /** Of the connections that got a server. */
  readonly share: number;
  /** What the scheduler aims at; absent where it aims at something else than shares. */
  readonly expectedShare?: number;
  readonly active: number;
  readonly inactive: number;
}

export interface Distribution {
  readonly service: string;
  readonly servicePort?: string;
  readonly scheduler: SchedulerName;
  readonly flags: readonly string[];
  readonly persistenceSeconds?: number;
  readonly connections: number;
  /** Without a usable server: ICMP port unreachable. */
  readonly refused: number;
  readonly servers: readonly ServerShare[];
}

const EQUAL: ReadonlySet<SchedulerName> = new Set(['rr', 'lc']);
const BY_WEIGHT: ReadonlySet<SchedulerName> = new Set(['wrr', 'wlc', 'sed', 'nq', 'sh', 'mh', 'twos']);

/** Connections by the id of their server. */
export class ServerCounts {
  readonly byServer = new Map<string, number>();
  readonly #service: ServiceEntry;
  /** Ids by where connections went. */
  readonly #ids = new Map<string, string>();

  constructor(service: ServiceEntry) {
    this.#service = service;
  }

  /** One connection went there. */
  add(end: ServerRef): void {
    const name = formatEndpoint(end.address, end.port);
    const id = this.#ids.get(name) ?? this.#serverAt(end) ?? name;
    this.#ids.set(name, id);
    this.byServer.set(id, (this.byServer.get(id) ?? 0) + 1);
  }

  /** A server on port 0 keeps the client's port, and so does every one of a persistent service by mark or on port 0. */
  #serverAt({ address, port }: ServerRef): string | undefined {
    const there = Array.from(this.#service.servers.values(), ({ key }) => key).filter((key) => key.address.text === address);
    return [port, 0].flatMap((wanted) => there.find((key) => key.port === wanted) ?? [])[0]?.id ?? there[0]?.id;
  }
}

/** `chosen`: connections by server. `states`: the servers as the engine has them at the end. */
export function distributionOf(
  { key, settings }: ServiceEntry,
  servicePort: string | undefined,
  states: readonly ServerState[],
  chosen: ReadonlyMap<string, number>,
  connections: number,
): Distribution {
  const served = [...chosen.values()].reduce((sum, count) => sum + count, 0);
  const expected = expectedShares(settings.scheduler, states);
  return {
    service: key.id,
    ...(servicePort === undefined ? {} : { servicePort }),
    scheduler: settings.scheduler,
    flags: flagNames(settings),
    ...(settings.persistence === undefined ? {} : { persistenceSeconds: settings.persistence.timeoutSeconds }),
    connections,
    refused: connections - served,
    servers: states.map(({ address, port, weight, active, inactive }, index) => {
      const server = formatEndpoint(address, port);
      const count = chosen.get(server) ?? 0;
      const expectedShare = expected?.[index];
      return {
        server,
        weight,
        connections: count,
        share: served === 0 ? 0 : count / served,
        ...(expectedShare === undefined ? {} : { expectedShare }),
        active,
        inactive,
      };
    }),
  };
}

/** Equal parts or by weight. dh, lblc and lblcr go by the destination, fo and ovf fill one server after the other. */
function expectedShares(scheduler: SchedulerName, states: readonly ServerState[]): readonly number[] | undefined {
  if (!EQUAL.has(scheduler) && !BY_WEIGHT.has(scheduler)) return undefined;
  const parts = states.map(({ weight }) => (EQUAL.has(scheduler) ? Math.min(1, weight) : weight));
  const total = parts.reduce((sum, part) => sum + part, 0);
  return total === 0 ? undefined : parts.map((part) => part / total);
}

export function distributionText(distribution: Distribution): string {
  const { service, servicePort, scheduler, flags, persistenceSeconds, connections, refused, servers } = distribution;
  const title = [
    service,
    ...(servicePort === undefined ? [] : [`(${servicePort})`]),
    scheduler,
    ...(flags.length === 0 ? [] : [flags.join(',')]),
    ...(persistenceSeconds === undefined ? [] : [`persistent ${persistenceSeconds}`]),
  ].join(' ');
  const rows = servers.map((server) => [
    server.server,
    String(server.weight),
    String(server.connections),
    percent(server.share),
    server.expectedShare === undefined ? '-' : percent(server.expectedShare),
    String(server.active),
    String(server.inactive),
  ]);
  const table =
    servers.length === 0
      ? '  no servers\n'
      : formatTable(['SERVER', 'WEIGHT', 'CONNECTIONS', 'SHARE', 'EXPECTED', 'ACTIVE', 'INACTIVE'], rows, '  ');
  const rest = refused === 0 ? '' : `  ${refused} of ${connections} refused: no usable server (ICMP port unreachable)\n`;
  return `${title}: ${connections} connections\n${table}${rest}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
