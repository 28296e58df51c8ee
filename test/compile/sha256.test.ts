import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256 } from '../../src/compile/sha256.ts';

test.each([0, 1, 55, 56, 63, 64, 119, 120, 500, 5000])('the digest of %i characters is that of node:crypto', (length) => {
  for (const unit of ['a', 'ä', '文']) {
    const text = unit.repeat(length);
    const digest = createHash('sha256').update(text).digest();
    expect([...sha256(text)]).toEqual([0, 4, 8, 12, 16, 20, 24, 28].map((at) => digest.readInt32BE(at)));
  }
});
