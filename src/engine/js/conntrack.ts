// Connection tracking: both tuples of a connection in one table, for both families; insert, remove, expire.
// Which packets make or change connections is decided in packet.ts.
import type { Family } from '../../address.ts';
import type { TransportProtocol } from '../../packet.ts';
import type { Direction, TcpState } from '../../program/tcp-states.ts';
import { addressKey } from './addresses.ts';
import type { Tuple, VirtualEndpoint } from './flight.ts';

export interface Connection {
  readonly family: Family;
  readonly protocol: TransportProtocol;
  readonly original: Tuple;
  /** What the other side's packets carry. */
  readonly reply: Tuple;
  readonly startedAt: number;
  /** Ways through the hooks, PATH_*. */
  readonly paths: Readonly<Record<Direction, number>>;
  readonly isMasquerade: boolean;
  readonly isDnat: boolean;
  readonly isSnat: boolean;
  readonly virtual: VirtualEndpoint | undefined;
  readonly servicePort: number;
  /** Absent for UDP. */
  state: TcpState | 'COOKIE_WAIT' | undefined;
  seenReply: boolean;
  assured: boolean;
  /** TCP: which directions have sent a FIN, and whether the last packet was a RST in the original one. */
  /** A FIN has taken it to FIN_WAIT. */
  closeBegun: boolean;
  lastWasReset: boolean;
  expiresAt: number;
}

export interface Hit {
  readonly connection: Connection;
  readonly direction: Direction;
}

export class Conntrack {
  readonly #max: number;
  readonly #byTuple = new Map<string, Hit>();
  readonly #connections = new Set<Connection>();
  /** No connection expires before this, so that a full table is swept only when that can help. */
  #earliestExpiry = Number.POSITIVE_INFINITY;

  /** @param max nf_conntrack_max */
  constructor(max: number) {
    this.#max = max;
  }

  /** The unexpired connection that has this tuple in either direction. An expired one is removed. */
  lookup(protocol: TransportProtocol, tuple: Tuple, now: number): Hit | undefined {
    const hit = this.#byTuple.get(tupleKey(protocol, tuple));
    if (hit === undefined || hit.connection.expiresAt > now) return hit;
    this.remove(hit.connection);
    return undefined;
  }

  /** As lookup, but it moves nothing. */
  peek(protocol: TransportProtocol, tuple: Tuple, now: number): Hit | undefined {
    const hit = this.#byTuple.get(tupleKey(protocol, tuple));
    return hit !== undefined && hit.connection.expiresAt > now ? hit : undefined;
  }

  /** The caller has made sure that neither tuple is there. */
  insert(connection: Connection): void {
    this.#connections.add(connection);
    this.#byTuple.set(tupleKey(connection.protocol, connection.reply), { connection, direction: 'reply' });
    // Last, so that a connection that is its own reply is found in the original direction.
    this.#byTuple.set(tupleKey(connection.protocol, connection.original), { connection, direction: 'original' });
    this.setExpiry(connection, connection.expiresAt);
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection);
    this.#byTuple.delete(tupleKey(connection.protocol, connection.original));
    this.#byTuple.delete(tupleKey(connection.protocol, connection.reply));
  }

  setExpiry(connection: Connection, expiresAt: number): void {
    connection.expiresAt = expiresAt;
    this.#earliestExpiry = Math.min(this.#earliestExpiry, expiresAt);
  }

  /** As many unexpired connections exist as may. */
  isFull(now: number): boolean {
    if (this.#connections.size >= this.#max && this.#earliestExpiry <= now) this.#sweep(now);
    return this.#connections.size >= this.#max;
  }

  *unexpired(now: number): IterableIterator<Connection> {
    for (const connection of this.#connections) if (connection.expiresAt > now) yield connection;
  }

  #sweep(now: number): void {
    this.#earliestExpiry = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections) {
      if (connection.expiresAt <= now) this.remove(connection);
      else this.setExpiry(connection, connection.expiresAt);
    }
  }
}

function tupleKey(protocol: TransportProtocol, { source, sourcePort, destination, destinationPort }: Tuple): string {
  return protocol + addressKey(source) + addressKey(destination) + String.fromCharCode(sourcePort, destinationPort);
}
