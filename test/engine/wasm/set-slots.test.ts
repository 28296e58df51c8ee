// The slots of a set in memory, against a Map: whatever comes and goes, each key is found from its hash, and nothing else is there.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SLOT_SERVICE_PORT, SLOT_VALUE } from '../../../assembly/shared/layout.ts';
import { emptySlot, fillSlot, findSlot, isUsed, type Slots, slotWords } from '../../../src/engine/wasm/set-slots.ts';

/** Few slots, so that ways from home are long and lead around the end. */
const COUNT = 16;
const KEY_WORDS = 2;
const FIRST = 3;

function emptySlots(): Slots {
  const size = slotWords(KEY_WORDS);
  return { words: new Uint32Array(FIRST + COUNT * size), first: FIRST, count: COUNT, size };
}

test('slots hold what was put there and not taken away', () => {
  const key = fc.tuple(fc.nat(3), fc.nat(3));
  const step = fc.record({ key, isAdded: fc.boolean(), value: fc.integer({ min: 1, max: 0xffffffff }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const slots = emptySlots();
      const model = new Map<string, number>();
      for (const { key, isAdded, value } of steps) {
        const words = Uint32Array.from(key);
        const slot = findSlot(slots, words);
        expect(isUsed(slots, slot)).toBe(model.has(key.join()));
        if (isAdded && !isUsed(slots, slot) && model.size < COUNT / 2) {
          fillSlot(slots, slot, words, value, value ^ 1);
          model.set(key.join(), value);
        } else if (!isAdded && isUsed(slots, slot)) {
          emptySlot(slots, slot);
          model.delete(key.join());
        }
        for (const [text, held] of model) {
          const found = findSlot(slots, Uint32Array.from(text.split(',').map(Number)));
          expect(slots.words[found + SLOT_VALUE / 4]).toBe(held);
          expect(slots.words[found + SLOT_SERVICE_PORT / 4]).toBe((held ^ 1) >>> 0);
        }
        const used = Array.from({ length: COUNT }, (_, number) => isUsed(slots, FIRST + number * slots.size)).filter(Boolean).length;
        expect(used).toBe(model.size);
      }
    }),
  );
});
