import { expect, test } from 'vitest';
import { oneInThreshold, probabilityText } from '../../src/program/chance.ts';

test('a probability in the middle between two texts is rounded to the even one, as Go does', () => {
  expect(probabilityText(2048)).toBe('0.0004882812');
  expect(oneInThreshold(2048)).toBe(2 ** 31 / 2048);
});
