// The core that the package carries as text.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CORE_TEXT } from '../../../src/engine/wasm/core-bytes.ts';
import { embeddedCore } from '../../../src/engine/wasm/embedded-core.ts';

test('is core.wasm, byte for byte', () => {
  expect(Buffer.compare(embeddedCore(), readFileSync('dist/core.wasm'))).toBe(0);
});

test('is text that no bundler, page or encoding has to change', () => {
  expect(CORE_TEXT).toMatch(/^[#-~]+$/);
  expect(CORE_TEXT).not.toMatch(/['"`\\<]/);
});
