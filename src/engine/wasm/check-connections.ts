// The self-check of a connection table: walks index and entries and says what does not hold. For tests, after every mutation.
import {
  BUCKET_ENTRIES,
  BUCKET_PASSED,
  BUCKET_REPLY,
  BUCKET_SIZE,
  BUCKET_SLOTS,
  BUCKET_TAGS,
  CLASS_NONE,
  CT_NEXT_FREE,
  CT_ORIGINAL,
  CT_TABLE_BUCKET_MASK,
  CT_TABLE_COUNT,
  CT_TABLE_ENTRIES,
  CT_TABLE_FREE,
  CT_TABLE_HIGH_WATER,
  CT_TABLE_INDEX,
} from '../../../assembly/shared/layout.ts';
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
export function checkConnections(table: Table): void {
  const { words, bytes } = table.memory;
  const at = table.core.tableAddress(table.family);
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

  const index = { start: field(CT_TABLE_INDEX), buckets: field(CT_TABLE_BUCKET_MASK) + 1 };
  const passed = new Map<number, number>();
  let references = 0;
  for (const number of live) {
    const entry = entries + number * table.entrySize;
    const tupleBytes = table.family === 'IPv4' ? 12 : 36;
    const original = bytes.subarray(entry + CT_ORIGINAL, entry + CT_ORIGINAL + tupleBytes);
    const reply = bytes.subarray(entry + CT_ORIGINAL + tupleBytes, entry + CT_ORIGINAL + 2 * tupleBytes);
    const ofClass = bytes[entry] ?? 0;
    notePassed(table, index, table.core.homeBucket(table.family, entry + CT_ORIGINAL, ofClass), number, passed);
    references++;
    if (original.every((byte, offset) => byte === reply[offset])) continue; // a connection with itself stands there once
    notePassed(
      table,
      index,
      table.core.homeBucket(table.family, entry + CT_ORIGINAL + tupleBytes, ofClass),
      (number | BUCKET_REPLY) >>> 0,
      passed,
    );
    references++;
  }
  checkBuckets(table, index, passed, references);
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

/** Walks from a tuple's home bucket to where its reference stands, noting the buckets it passes. */
function notePassed({ memory }: Table, index: Index, home: number, reference: number, passed: Map<number, number>): void {
  for (let step = 0; step < index.buckets; step++) {
    const bucket = index.start + (((home - index.start) / BUCKET_SIZE + step) % index.buckets) * BUCKET_SIZE;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const tag = memory.words[(bucket + BUCKET_TAGS) / 4 + slot];
      if (tag !== 0 && memory.words[(bucket + BUCKET_ENTRIES) / 4 + slot] === reference) return;
    }
    passed.set(bucket, (passed.get(bucket) ?? 0) + 1);
  }
  throw new CoreError(`conntrack: the tuple of reference ${reference} is not in the index`);
}

function checkBuckets({ memory }: Table, index: Index, passed: ReadonlyMap<number, number>, references: number): void {
  let tags = 0;
  for (let number = 0; number < index.buckets; number++) {
    const bucket = index.start + number * BUCKET_SIZE;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) if (memory.words[(bucket + BUCKET_TAGS) / 4 + slot] !== 0) tags++;
    const noted = memory.words[(bucket + BUCKET_PASSED) / 4];
    expect(noted === (passed.get(bucket) ?? 0), `bucket ${number} says ${noted} tuples passed it, ${passed.get(bucket) ?? 0} did`);
  }
  expect(tags === references, `the index holds ${tags} tuples, the entries have ${references}`);
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new CoreError(`conntrack: ${otherwise}`);
}
