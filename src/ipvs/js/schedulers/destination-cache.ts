// What lblc and lblcr remember by destination address, and when the kernel's periodic check throws it away.
import type { Address } from '../../../address.ts';
import type { Namespace } from '../namespace.ts';
import type { ServiceView } from '../scheduler.ts';
import type { Server } from '../server.ts';

/** COUNT_FOR_FULL_EXPIRATION times CHECK_EXPIRE_INTERVAL: the full check of a cache. */
const FULL_CHECK_MS = 30 * 60_000;

interface CacheEntry<T> {
  lastUse: number;
  readonly value: T;
}

/** `forget` hears of each value that leaves the cache. */
export class DestinationCache<T> {
  readonly #entries = new Map<string, CacheEntry<T>>();
  readonly #namespace: Namespace;
  readonly #expiration: 'lblc_expiration' | 'lblcr_expiration';
  readonly #forget: (value: T) => void;
  readonly #boundAt: number;

  constructor(namespace: Namespace, expiration: 'lblc_expiration' | 'lblcr_expiration', forget: (value: T) => void) {
    this.#namespace = namespace;
    this.#expiration = expiration;
    this.#forget = forget;
    this.#boundAt = namespace.now;
  }

  /** Looking is using. An entry that a full check has found unused for long enough is gone. */
  get({ text }: Address): T | undefined {
    const entry = this.#entries.get(text);
    if (entry === undefined) return undefined;
    if (this.#isStale(entry)) {
      this.#entries.delete(text);
      this.#forget(entry.value);
      return undefined;
    }
    entry.lastUse = this.#namespace.now;
    return entry.value;
  }

  /** As `get`, but nothing is used or forgotten. */
  peek({ text }: Address): T | undefined {
    const entry = this.#entries.get(text);
    return entry === undefined || this.#isStale(entry) ? undefined : entry.value;
  }

  set({ text }: Address, value: T): void {
    const earlier = this.#entries.get(text);
    this.#entries.set(text, { lastUse: this.#namespace.now, value });
    if (earlier !== undefined) this.#forget(earlier.value);
  }

  clear(): void {
    for (const { value } of this.#entries.values()) this.#forget(value);
    this.#entries.clear();
  }

  #isStale({ lastUse }: CacheEntry<T>): boolean {
    const { now, sysctls } = this.#namespace;
    const checkedAt = now - ((now - this.#boundAt) % FULL_CHECK_MS);
    return checkedAt >= lastUse + sysctls[this.#expiration] * 1000;
  }
}

/** `is_overloaded`: more active connections than weight, while some server of the service is less than half busy. */
export function isCrowded(server: Server, service: ServiceView): boolean {
  return server.active > server.weight && service.servers.some(({ active, weight }) => active * 2 < weight);
}
