// The shared leaves, as each compiler made them: same words in, same bits out.
import { readFileSync } from 'node:fs';
import { instantiateSync } from '@assemblyscript/loader';
import { describe, expect, test } from 'vitest';
import { crc32cChange } from '../../assembly/shared/crc32c.ts';
import { hashEnd, hashWord, nextSlot } from '../../assembly/shared/hash.ts';
import { nextRandom, seedRandom } from '../../assembly/shared/random.ts';
import { crc32c } from '../frames/whole-checksums.ts';

interface Leaves extends Record<string, unknown> {
  hashWord(hash: number, word: number): number;
  hashEnd(hash: number): number;
  crc32cChange(changed: number, length: number): number;
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

  test('on what a changed word does to a CRC32c, which is what a whole computation says', () => {
    for (const changed of [...edges, 0x12345678]) {
      for (const length of [4, 8, 12, 60, 1500, 65_515]) {
        const before = new Uint8Array(length).map((_, at) => (at * 7) & 0xff);
        const after = before.slice();
        const view = new DataView(after.buffer);
        view.setUint32(0, view.getUint32(0, true) ^ changed, true);
        const change = crc32cChange(changed, length);
        expect(core.crc32cChange(changed, length) >>> 0).toBe(change);
        expect((crc32c(before) ^ change) >>> 0).toBe(crc32c(after));
      }
    }
  });

  test('a random state is never 0, whatever the seed', () => {
    for (const seed of [...edges, 0x9e3779b9]) expect(seedRandom(seed)).not.toBe(0);
  });
});
