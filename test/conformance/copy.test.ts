// conformance/ is the project's copy of the facts: byte for byte the original, wherever that lies beside the checkout.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const original = new URL('../../../shared/conformance/', import.meta.url);
const copy = new URL('../../conformance/', import.meta.url);

describe.skipIf(!existsSync(original))('the copy of the conformance data', () => {
  test('has the same files as the original', () => {
    expect(readdirSync(copy).sort()).toEqual(readdirSync(original).sort());
  });

  test.each(existsSync(original) ? readdirSync(original) : [])('%s is byte-identical to the original', (file) => {
    expect(readFileSync(new URL(file, copy)).equals(readFileSync(new URL(file, original)))).toBe(true);
  });
});
