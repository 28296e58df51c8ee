// The shared leaves, as each compiler made them: same words in, same bits out.
import { readFileSync } from 'node:fs';
import { instantiateSync } from '@assemblyscript/loader';
import { describe, expect, test } from 'vitest';
import { hashEnd, hashWord, nextSlot } from '../../assembly/shared/hash.ts';
import { nextRandom, seedRandom } from '../../assembly/shared/random.ts';

interface Leaves extends Record<string, unknown> {
  hashWord(hash: number, word: number): number;
  hashEnd(hash: number): number;
  nextSlot(slot: number, slotCount: number): number;
  seedRandom(seed: number): number;
  nextRandom(state: number): number;
}

const { exports: core } = instantiateSync<Leaves>(readFileSync('dist/core.wasm'), {});
const edges = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];

function expectSame(a: number, b: number): void {
  expect([a, b, core.hashWord(a, b) >>> 0]).toEqual([a, b, hashWord(a, b)]);
  expect([a, core.hashEnd(a) >>> 0]).toEqual([a, hashEnd(a)]);
  expect([a, core.seedRandom(a) >>> 0]).toEqual([a, seedRandom(a)]);
  expect([a, core.nextRandom(a) >>> 0]).toEqual([a, nextRandom(a)]);
}

describe('shared leaves agree between both compilers', () => {
  test('on edge words in all combinations', () => {
    for (const a of edges) for (const b of edges) expectSame(a, b);
  });

  test('on a million seeded words', () => {
    let state = seedRandom(42);
    let differences = 0;
    for (let i = 0; i < 1_000_000; i++) {
      const a = state;
      state = nextRandom(state);
      const isSame =
        core.hashWord(a, state) >>> 0 === hashWord(a, state) &&
        core.hashEnd(a) >>> 0 === hashEnd(a) &&
        core.nextRandom(a) >>> 0 === nextRandom(a);
      if (!isSame) differences++;
    }
    expect(differences).toBe(0);
  });

  test('on the slots of a table of any size', () => {
    for (let bits = 0; bits < 31; bits++) {
      const slotCount = 2 ** bits;
      for (const slot of [0, slotCount - 1]) expect(core.nextSlot(slot, slotCount) >>> 0).toBe(nextSlot(slot, slotCount));
    }
  });

  test('a random state is never 0, whatever the seed', () => {
    for (const seed of [...edges, 0x9e3779b9]) expect(seedRandom(seed)).not.toBe(0);
  });
});
