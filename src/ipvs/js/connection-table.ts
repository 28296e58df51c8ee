// The connection table: entries by both tuples, templates, timers, and what an entry that comes or goes means for its server.
import { type Address, addressKey } from '../../address.ts';
import type { EnginePacket } from '../engine.ts';
import type { Connection } from './connection.ts';
import type { Namespace } from './namespace.ts';
import { countConnection, uncountConnection } from './server.ts';
import { Timers } from './timers.ts';

/** What a template that still has connections gets when its timer fires, and keeps as its timeout. */
const EXTENSION_MS = 60_000;

/** The port of a template that is put aside. */
const ASIDE_PORT = 65535;

export class ConnectionTable {
  /** In the order in which they were made. */
  readonly #entries = new Set<Connection>();
  readonly #byClientTuple = new NewestIndex();
  readonly #byServerTuple = new NewestIndex();
  readonly #templates = new NewestIndex();
  readonly #timers = new Timers();
  #made = 0;
  readonly #namespace: Namespace;
  readonly #onEnd: (connection: Connection) => void;

  /** @param onEnd hears of each connection, not template, that leaves the table. */
  constructor(namespace: Namespace, onEnd: (connection: Connection) => void = () => {}) {
    this.#namespace = namespace;
    this.#onEnd = onEnd;
  }

  /** The newest connection of a client's packet. */
  findByClient({ protocol, source, sourcePort, destination, destinationPort }: EnginePacket): Connection | undefined {
    return this.#byClientTuple.newest(tupleKey(protocol, source, sourcePort, destination, destinationPort));
  }

  /** The newest connection that a server's packet belongs to. */
  findByServer({ protocol, source, sourcePort, destination, destinationPort }: EnginePacket): Connection | undefined {
    return this.#byServerTuple.newest(tupleKey(protocol, source, sourcePort, destination, destinationPort));
  }

  findTemplate(protocol: Connection['protocol'], client: Address, virtual: Address, virtualPort: number): Connection | undefined {
    return this.#templates.newest(tupleKey(protocol, client, 0, virtual, virtualPort));
  }

  /** Puts it into the table, without timer, and counts it on its server. */
  insert(connection: Connection): void {
    this.bind(connection);
    connection.sequence = ++this.#made;
    this.#entries.add(connection);
    if (connection.isTemplate) this.#templates.add(clientKey(connection), connection);
    else {
      this.#byClientTuple.add(clientKey(connection), connection);
      this.#byServerTuple.add(serverKey(connection), connection);
    }
  }

  /** Counts it on its server and its template; of a one-packet connection that is all. */
  bind({ isTemplate, server, control }: Connection): void {
    this.#namespace.refer(server);
    if (!isTemplate) countConnection(server);
    if (control !== undefined) control.controlledCount += 1;
  }

  unbind({ isTemplate, isActive, server, control }: Connection): void {
    if (control !== undefined) control.controlledCount -= 1;
    if (!isTemplate) uncountConnection(server, isActive);
    this.#namespace.release(server);
  }

  restartTimer(connection: Connection): void {
    this.#timers.set(connection, this.#namespace.now + connection.timeoutMs);
  }

  /** It stays for the rest of this packet, in table and counters, and is gone at the next verb. `isTracked`: with its conntrack entry. */
  expireWithNextTick(connection: Connection, isTracked: boolean): void {
    connection.isTracked = isTracked;
    this.#timers.set(connection, this.#namespace.now);
  }

  /** A template that is no longer valid leaves the lookup, and dies with its timer. */
  setAside(template: Connection): void {
    this.#templates.remove(clientKey(template), template);
    template.virtualPort = ASIDE_PORT;
    template.serverPort = ASIDE_PORT;
  }

  fireTimers(): void {
    while (true) {
      const connection = this.#timers.takeDue(this.#namespace.now);
      if (connection === undefined) return;
      if (connection.controlledCount > 0) {
        connection.timeoutMs = EXTENSION_MS;
        this.#timers.set(connection, connection.expiresAt + EXTENSION_MS);
      } else this.#remove(connection);
    }
  }

  /** Ends all entries of servers that were removed. */
  flushRemovedServers(): void {
    for (const connection of this.#entries) if (!connection.server.isAvailable) this.#remove(connection);
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#entries.values();
  }

  #remove(connection: Connection): void {
    this.#timers.remove(connection);
    this.#entries.delete(connection);
    if (connection.isTemplate) this.#templates.remove(clientKey(connection), connection);
    else {
      this.#byClientTuple.remove(clientKey(connection), connection);
      this.#byServerTuple.remove(serverKey(connection), connection);
    }
    this.unbind(connection);
    if (!connection.isTemplate) this.#onEnd(connection);
  }
}

/** Entries by a key that several may share for a while: the newest one is found. */
class NewestIndex {
  readonly #entries = new Map<string, Connection[]>();

  newest(key: string): Connection | undefined {
    return this.#entries.get(key)?.at(-1);
  }

  add(key: string, connection: Connection): void {
    const sharing = this.#entries.get(key);
    if (sharing === undefined) this.#entries.set(key, [connection]);
    else sharing.push(connection);
  }

  remove(key: string, connection: Connection): void {
    const rest = this.#entries.get(key)?.filter((other) => other !== connection) ?? [];
    if (rest.length > 0) this.#entries.set(key, rest);
    else this.#entries.delete(key);
  }
}

function tupleKey(protocol: string, source: Address, sourcePort: number, destination: Address, destinationPort: number): string {
  return protocol + addressKey(source.words) + addressKey(destination.words) + String.fromCharCode(sourcePort, destinationPort);
}

function clientKey({ protocol, client, clientPort, virtual, virtualPort }: Connection): string {
  return tupleKey(protocol, client, clientPort, virtual, virtualPort);
}

function serverKey({ protocol, client, clientPort, server, serverPort }: Connection): string {
  return tupleKey(protocol, server.key.address, serverPort, client, clientPort);
}
