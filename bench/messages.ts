// What parent and children of a benchmark say to each other: one reply to each request.
import type { ResultDigest } from './digest.ts';
import type { VariantName } from './variants.ts';
import type { Workload } from './workload.ts';

/** `cpu`: what the process used, for machines that are shared; whatever else runs then disturbs caches, but takes no time. */
export type Clock = 'wall' | 'cpu';

export type Request =
  | { readonly kind: 'prepare'; readonly variant: VariantName; readonly workload: Workload }
  /** One pass with all results read. */
  | { readonly kind: 'check' }
  /** Passes that are timed one by one. */
  | { readonly kind: 'round'; readonly passCount: number; readonly clock: Clock }
  /** As many passes without a look at anything but the heap. */
  | { readonly kind: 'allocate'; readonly passCount: number };

export interface Replies {
  readonly prepare: { readonly kind: 'prepare' };
  readonly check: { readonly kind: 'check'; readonly nsPerPacket: number; readonly result: ResultDigest };
  /** Nanoseconds a packet, one number a pass. */
  readonly round: { readonly kind: 'round'; readonly samples: readonly number[] };
  readonly allocate: { readonly kind: 'allocate'; readonly heapBytes: number; readonly collections: number; readonly elapsedMs: number };
}

export type Failure = { readonly kind: 'failed'; readonly message: string };
export type Reply = Replies[keyof Replies] | Failure;
