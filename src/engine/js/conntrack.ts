// Connection tracking: both tuples of a connection in one table, for both families; insert, remove, expire.
// Which packets make or change connections is decided in packet.ts.
import { COLLECT_RANGE, EVICTION_RANGE } from '../../../assembly/shared/conntrack-layout.ts';
import { addressKey, type Family } from '../../address.ts';
import type { TransportProtocol } from '../../packet.ts';
import { isClosing, type ProtocolState } from '../../program/connection-states.ts';
import type { Direction } from '../../program/tcp-states.ts';
import type { Tuple, VirtualEndpoint } from './flight.ts';
import type { EventCounters } from './state.ts';

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
  state: ProtocolState;
  seenReply: boolean;
  assured: boolean;
  /** A FIN has taken it to FIN_WAIT. */
  closeBegun: boolean;
  /** The last packet was a RST in the original direction. */
  lastWasReset: boolean;
  /** Both ends have sent a SYN and no SYN+ACK yet. */
  simultaneousOpen: boolean;
  expiresAt: number;
  /** Those that moved its timer, modulo 2^32. */
  readonly packets: Record<Direction, number>;
}

export interface Hit {
  readonly connection: Connection;
  readonly direction: Direction;
}

export class Conntrack {
  readonly #max: number;
  readonly #counters: EventCounters;
  readonly #byTuple = new Map<string, Hit>();
  readonly #entries: Readonly<Record<Family, Entries>> = { IPv4: new Entries(), IPv6: new Entries() };

  /** @param max nf_conntrack_max */
  constructor(max: number, counters: EventCounters) {
    this.#max = max;
    this.#counters = counters;
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

  /** The caller has made room, and sure that neither tuple is there. */
  insert(connection: Connection): void {
    this.#entries[connection.family].add(connection);
    this.#byTuple.set(tupleKey(connection.protocol, connection.reply), { connection, direction: 'reply' });
    // Last, so that a connection that is its own reply is found in the original direction.
    this.#byTuple.set(tupleKey(connection.protocol, connection.original), { connection, direction: 'original' });
  }

  remove(connection: Connection): void {
    this.#entries[connection.family].remove(connection);
    this.#byTuple.delete(tupleKey(connection.protocol, connection.original));
    this.#byTuple.delete(tupleKey(connection.protocol, connection.reply));
  }

  /** Removes the connection whose packets from its client have this tuple, expired or not. */
  removeOriginal(protocol: TransportProtocol, tuple: Tuple): void {
    const hit = this.#byTuple.get(tupleKey(protocol, tuple));
    if (hit?.direction === 'original') this.remove(hit.connection);
  }

  /**
   * Before a new connection: looks at a few entries for expired ones, and at some more for one that may go when as many connections
   * stand as may, as early_drop does. False: there is no room. Which entries are looked at is the same in both engines.
   */
  makeRoom(family: Family, now: number): boolean {
    const entries = this.#entries[family];
    for (const connection of entries.look(COLLECT_RANGE))
      if (connection !== undefined && isExpired(connection, now)) this.remove(connection);
    return this.#count < this.#max || this.#evict(family, now) || this.#evict(otherFamily(family), now);
  }

  /** What makeRoom would find for a packet with this tuple; nothing moves. `evicted`: the connection that it would remove. Undefined: no room. */
  foreseeRoom(family: Family, protocol: TransportProtocol, tuple: Tuple, now: number): { readonly evicted?: Connection } | undefined {
    const holder = this.#byTuple.get(tupleKey(protocol, tuple))?.connection;
    const own = this.#entries[family].foresee(COLLECT_RANGE + EVICTION_RANGE);
    // An expired holder of the tuple is gone before room is made.
    if (this.#count < this.#max || [holder, ...own.slice(0, COLLECT_RANGE)].some((connection) => isExpired(connection, now))) return {};
    const other = this.#entries[otherFamily(family)].foresee(EVICTION_RANGE);
    const evicted = [...own.slice(COLLECT_RANGE), ...other].find((connection) => mayGo(connection, now));
    return evicted && { evicted };
  }

  *unexpired(now: number): IterableIterator<Connection> {
    for (const family of ['IPv4', 'IPv6'] as const) {
      for (const connection of this.#entries[family].all()) if (!isExpired(connection, now)) yield connection;
    }
  }

  get #count(): number {
    return this.#entries.IPv4.count + this.#entries.IPv6.count;
  }

  /** Removes the first of the next entries that may go. False: none may. */
  #evict(family: Family, now: number): boolean {
    for (const connection of this.#entries[family].look(EVICTION_RANGE)) {
      if (connection === undefined || !mayGo(connection, now)) continue;
      if (!isExpired(connection, now)) this.#counters.earlyDropped++;
      this.remove(connection);
      return true;
    }
    return false;
  }
}

/** The connections of one family in numbered places; one that is left is taken again first. A hand goes round them. */
class Entries {
  readonly #places: (Connection | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #numbers = new Map<Connection, number>();
  #hand = 0;

  get count(): number {
    return this.#numbers.size;
  }

  add(connection: Connection): void {
    const number = this.#free.pop() ?? this.#places.length;
    this.#places[number] = connection;
    this.#numbers.set(connection, number);
  }

  remove(connection: Connection): void {
    const number = this.#numbers.get(connection);
    if (number === undefined) return;
    this.#numbers.delete(connection);
    this.#places[number] = undefined;
    this.#free.push(number);
  }

  *all(): IterableIterator<Connection> {
    for (const connection of this.#places) if (connection !== undefined) yield connection;
  }

  /** The next so many places at the hand, which moves on with each. */
  *look(range: number): IterableIterator<Connection | undefined> {
    for (let looked = 0; looked < range && this.#places.length > 0; looked++) {
      if (this.#hand >= this.#places.length) this.#hand = 0;
      yield this.#places[this.#hand++];
    }
  }

  /** What look would give; the hand stays. */
  foresee(range: number): (Connection | undefined)[] {
    const hand = this.#hand;
    const found = [...this.look(range)];
    this.#hand = hand;
    return found;
  }
}

function isExpired(connection: Connection | undefined, now: number): boolean {
  return connection !== undefined && connection.expiresAt <= now;
}

/** Expired, not assured, or on its way out. */
function mayGo(connection: Connection | undefined, now: number): boolean {
  if (connection === undefined) return false;
  return isExpired(connection, now) || !connection.assured || isClosing(connection.state);
}

function otherFamily(family: Family): Family {
  return family === 'IPv4' ? 'IPv6' : 'IPv4';
}

function tupleKey(protocol: TransportProtocol, { source, sourcePort, destination, destinationPort }: Tuple): string {
  return protocol + addressKey(source) + addressKey(destination) + String.fromCharCode(sourcePort, destinationPort);
}
