// The core stays small: a page downloads it before the first packet.
import { statSync } from 'node:fs';
import { expect, test } from 'vitest';

const CORE_BYTES_MAX = 48 * 1024;

test('the core is no larger than its limit', () => {
  expect(statSync('dist/core.wasm').size).toBeLessThanOrEqual(CORE_BYTES_MAX);
});
