// What a scheduler is: it picks a server for a new connection, and hears when the list of servers changed.
import type { Address } from '../../address.ts';
import type { ServiceSettings } from '../keys.ts';
import type { Namespace } from './namespace.ts';
import type { Server } from './server.ts';

/** What schedulers see of a service. */
export interface ServiceView {
  readonly settings: ServiceSettings;
  /** Newest first: a server is added at the front. */
  readonly servers: readonly Server[];
}

/** What schedulers see of the packet that begins a connection. */
export interface Flow {
  readonly source: Address;
  readonly sourcePort: number;
  readonly destination: Address;
}

export interface Scheduler {
  /** The server of a new connection; none when no server is usable. Its own state moves on. */
  pick(flow: Flow): Server | undefined;
  /** What `pick` would give, with its state left as it is. Absent: picking moves nothing. */
  peek?(flow: Flow): Server | undefined;
  /** A server was added, at the front. */
  serverAdded?(): void;
  /** The server that stood at `index` is gone. */
  serverRemoved?(index: number): void;
  /** Weight or thresholds of a server were set, perhaps to what they were. */
  serverEdited?(): void;
  /** The service goes, or takes another scheduler: let go of all servers. */
  unbind?(): void;
}

/** Makes the scheduler of one service, over the servers that it has already. */
export type BindScheduler = (service: ServiceView, namespace: Namespace) => Scheduler;
