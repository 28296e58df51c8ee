// The self-check of a connection table: walks index and entries and says what does not hold. For tests, after every mutation.
import {
  BUCKET_ENTRIES,
  BUCKET_NEXT,
  BUCKET_REPLY,
  BUCKET_SIZE,
  BUCKET_SLOTS,
  BUCKET_TAGS,
  CT_NEXT_FREE,
  CT_ORIGINAL,
  CT_REPLY_AFTER_V4,
  CT_REPLY_AFTER_V6,
  CT_SIZE_V4,
  CT_SIZE_V6,
  CT_TABLE_COUNT,
  CT_TABLE_ENTRIES,
  CT_TABLE_FREE,
  CT_TABLE_HIGH_WATER,
  CT_TABLE_INDEX,
  CT_TABLE_LIVE,
  CT_TABLE_OVERFLOW,
  CT_TABLE_OVERFLOW_FREE,
  CT_TABLE_OVERFLOW_HIGH_WATER,
} from '../../../assembly/shared/conntrack-layout.ts';
import { CLASS_NONE } from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import { CoreError } from '../../errors.ts';
import type { Core } from './core.ts';
import type { LinearMemory } from './memory.ts';

interface Table {
  readonly core: Core;
  readonly memory: LinearMemory;
  readonly family: Family;
  readonly entrySize: number;
}

/** @throws CoreError that names the first invariant that does not hold. */
export function checkConnections(core: Core, memory: LinearMemory, family: Family): void {
  const table: Table = { core, memory, family, entrySize: family === 'IPv4' ? CT_SIZE_V4 : CT_SIZE_V6 };
  const { words, bytes } = memory;
  const at = core.tableAddress(family);
  const field = (offset: number): number => words[(at + offset) / 4] ?? 0;
  const entries = field(CT_TABLE_ENTRIES);
  const highWater = field(CT_TABLE_HIGH_WATER);
  const live = Array.from({ length: highWater }, (_, number) => number).filter(
    (number) => bytes[entries + number * table.entrySize] !== CLASS_NONE,
  );
  expect(live.length === field(CT_TABLE_COUNT), `count is ${field(CT_TABLE_COUNT)}, ${live.length} entries are in use`);
  expect(
    freeCount(table, field(CT_TABLE_FREE), entries, highWater) + live.length === highWater,
    'free list and entries in use do not add up',
  );

  const index = { start: field(CT_TABLE_INDEX), buckets: field(CT_TABLE_LIVE) / BUCKET_SIZE };
  const tupleBytes = family === 'IPv4' ? 12 : 36;
  const home = new Map<number, number>();
  for (const number of live) {
    const entry = entries + number * table.entrySize;
    const original = entry + CT_ORIGINAL;
    const reply = original + (family === 'IPv4' ? CT_REPLY_AFTER_V4 : CT_REPLY_AFTER_V6);
    const ofClass = bytes[entry] ?? 0;
    home.set(number, core.tag(family, original, ofClass));
    const isSelfReply = bytes.subarray(original, original + tupleBytes).every((byte, offset) => byte === bytes[reply + offset]);
    // A connection with itself stands there once.
    if (!isSelfReply) home.set((number | BUCKET_REPLY) >>> 0, core.tag(family, reply, ofClass));
  }
  checkBuckets(table, index, home);
  const used = (field(CT_TABLE_OVERFLOW_HIGH_WATER) - field(CT_TABLE_OVERFLOW)) / BUCKET_SIZE;
  const free = chainLength(table, field(CT_TABLE_OVERFLOW_FREE), used);
  const chained = Array.from({ length: index.buckets }, (_, number) =>
    chainLength(table, nextOf(table, index.start + number * BUCKET_SIZE), used),
  );
  expect(chained.reduce((sum, length) => sum + length, free) === used, 'chains and free overflow buckets do not add up');
}

interface Index {
  readonly start: number;
  readonly buckets: number;
}

function freeCount({ memory, entrySize }: Table, first: number, entries: number, highWater: number): number {
  let count = 0;
  for (let next = first; next !== 0; count++) {
    expect(count <= highWater, 'the free list does not end');
    const entry = entries + (next - 1) * entrySize;
    expect(memory.bytes[entry] === CLASS_NONE, `entry ${next - 1} is free and in use`);
    next = memory.words[(entry + CT_NEXT_FREE) / 4] ?? 0;
  }
  return count;
}

function nextOf({ memory }: Table, bucket: number): number {
  return memory.words[(bucket + BUCKET_NEXT) / 4] ?? 0;
}

/** Overflow buckets from the first one on. */
function chainLength(table: Table, first: number, most: number): number {
  let length = 0;
  for (let bucket = first; bucket !== 0; bucket = nextOf(table, bucket)) {
    expect(length++ <= most, 'a chain of overflow buckets does not end');
  }
  return length;
}

/** Every reference stands once, under its tag, in the chain of the tag's bucket; a bucket with another one behind it is full. */
function checkBuckets(table: Table, index: Index, home: ReadonlyMap<number, number>): void {
  const { words } = table.memory;
  const seen = new Set<number>();
  for (let number = 0; number < index.buckets; number++) {
    const first = index.start + number * BUCKET_SIZE;
    for (let bucket = first; bucket !== 0; bucket = nextOf(table, bucket)) {
      let tags = 0;
      for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
        const tag = words[(bucket + BUCKET_TAGS) / 4 + slot] ?? 0;
        if (tag === 0) continue;
        tags++;
        const reference = words[(bucket + BUCKET_ENTRIES) / 4 + slot] ?? 0;
        expect(home.get(reference) === tag, `bucket ${number} holds reference ${reference} under a tag that is not its tuple's`);
        expect(table.core.bucket(table.family, tag) === first, `reference ${reference} does not belong to bucket ${number}`);
        expect(!seen.has(reference), `reference ${reference} stands twice`);
        seen.add(reference);
      }
      expect(nextOf(table, bucket) === 0 || tags === BUCKET_SLOTS, `bucket ${number} has an overflow bucket and room`);
      expect(bucket === first || tags > 0, `bucket ${number} has an empty overflow bucket`);
    }
  }
  expect(seen.size === home.size, `the index holds ${seen.size} tuples, the entries have ${home.size}`);
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new CoreError(`conntrack: ${otherwise}`);
}
