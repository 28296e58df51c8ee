// An entry of the connection table: a connection, or the template that pins a client to a server.
import { type Address, addressOf } from '../../address.ts';
import type { TransportProtocol } from '../../packet.ts';
import type { IpvsConnection } from '../types.ts';
import type { ConntrackEntry } from './conntrack.ts';
import type { Server } from './server.ts';

export interface Connection {
  readonly isTemplate: boolean;
  /** Newer entries have higher ones. */
  sequence: number;
  /** IP: the template of a mark service, with the mark as virtual address. */
  readonly protocol: TransportProtocol | 'IP';
  readonly client: Address;
  /** 0 of a template. */
  readonly clientPort: number;
  readonly virtual: Address;
  virtualPort: number;
  readonly server: Server;
  serverPort: number;
  /** The template that this connection came by. */
  readonly control: Connection | undefined;
  /** A template's connections. */
  controlledCount: number;
  /** The kernel's name. */
  state: string;
  /** Counts as active on its server. */
  isActive: boolean;
  /** What the timer is set to when it restarts. */
  timeoutMs: number;
  expiresAt: number;
  /** Its conntrack entry ends with it. False once conntrack has begun another one for its tuple. */
  isTracked: boolean;
  /** Where conntrack works with IPVS, and nobody else keeps its entries. */
  readonly conntrack: ConntrackEntry | undefined;
}

export type NewConnection = Pick<
  Connection,
  'isTemplate' | 'protocol' | 'client' | 'clientPort' | 'virtual' | 'virtualPort' | 'server' | 'serverPort' | 'control' | 'conntrack'
>;

/** Still without timer and place in the table. Written out, since a spread costs more than all the rest of a new connection. */
export function createConnection(ends: NewConnection): Connection {
  const { isTemplate, protocol, client, clientPort, virtual, virtualPort, server, serverPort, control, conntrack } = ends;
  return {
    isTemplate,
    sequence: 0,
    protocol,
    client,
    clientPort,
    virtual,
    virtualPort,
    server,
    serverPort,
    control,
    controlledCount: 0,
    state: 'NONE',
    isActive: false,
    timeoutMs: 0,
    expiresAt: 0,
    isTracked: true,
    conntrack,
  };
}

/** The mark of a service as its templates show it: an address. */
export function markAddress(mark: number, { words }: Address): Address {
  return addressOf(words.map((_, index) => (index === 0 ? mark : 0)));
}

/** The address of the clients that share a template. */
export function maskAddress({ words }: Address, mask: readonly number[]): Address {
  return addressOf(words.map((word, index) => (word & (mask[index] ?? 0)) >>> 0));
}

export function describeConnection(connection: Connection, now: number): IpvsConnection {
  const { protocol, client, clientPort, virtual, virtualPort, server, serverPort, state } = connection;
  return {
    protocol,
    client: { address: client.text, port: clientPort },
    virtual: { address: virtual.text, port: virtualPort },
    server: { address: server.key.address.text, port: serverPort },
    state,
    expires: Math.floor((connection.expiresAt - now) / 1000),
  };
}
