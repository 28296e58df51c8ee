// The timers of the connection table: a heap by time in which a restarted timer leaves its old place behind.
import type { Connection } from './connection.ts';

interface Timer {
  readonly at: number;
  readonly connection: Connection;
}

export class Timers {
  /** A binary heap: no timer is due before the one at `(index - 1) >> 1`. */
  readonly #heap: Timer[] = [];
  /** When the heap looks at a connection next: never after it expires. */
  readonly #queued = new Map<Connection, number>();

  /** Sets or moves the timer of a connection. Moving it later costs nothing yet. */
  set(connection: Connection, expiresAt: number): void {
    connection.expiresAt = expiresAt;
    const queuedAt = this.#queued.get(connection);
    if (queuedAt === undefined || expiresAt < queuedAt) this.#queue(connection);
  }

  remove(connection: Connection): void {
    this.#queued.delete(connection);
  }

  /** Takes out the next connection that expires at `now` or before: the earliest one. */
  takeDue(now: number): Connection | undefined {
    while (true) {
      const timer = this.#heap[0];
      if (timer === undefined || timer.at > now) return undefined;
      this.#takeFirst();
      const { at, connection } = timer;
      if (this.#queued.get(connection) !== at) continue;
      if (connection.expiresAt > at) {
        this.#queue(connection);
        continue;
      }
      this.#queued.delete(connection);
      return connection;
    }
  }

  #queue(connection: Connection): void {
    const timer: Timer = { at: connection.expiresAt, connection };
    this.#queued.set(connection, timer.at);
    let index = this.#heap.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || !isBefore(timer, parent)) break;
      this.#heap[index] = parent;
      index = parentIndex;
    }
    this.#heap[index] = timer;
  }

  /** The last one takes the place of the first and sinks. */
  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let index = 0;
    while (true) {
      const childIndex = this.#earlierChild(index);
      const child = this.#heap[childIndex];
      if (child === undefined || !isBefore(child, last)) break;
      this.#heap[index] = child;
      index = childIndex;
    }
    this.#heap[index] = last;
  }

  #earlierChild(index: number): number {
    const left = this.#heap[index * 2 + 1];
    const right = this.#heap[index * 2 + 2];
    return left !== undefined && right !== undefined && isBefore(right, left) ? index * 2 + 2 : index * 2 + 1;
  }
}

/** At the same moment: connections before templates, older ones before newer ones. */
function isBefore(a: Timer, b: Timer): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.connection.isTemplate !== b.connection.isTemplate) return b.connection.isTemplate;
  return a.connection.sequence < b.connection.sequence;
}
