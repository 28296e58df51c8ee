// The core that the package carries, as bytes. Apart from core.ts, so that an entry which gets its core from elsewhere does not carry it too.
import { CORE_SIZE, CORE_TEXT, LETTERS, PAIRS_FROM } from './core-bytes.ts';

/** The bytes of core.wasm, out of the text that assembly/embed.mjs made of them. */
export function embeddedCore(): Uint8Array<ArrayBuffer> {
  const placeOf = new Uint8Array(128);
  for (let place = 0; place < LETTERS.length; place++) placeOf[LETTERS.charCodeAt(place)] = place;
  const letters = new TextEncoder().encode(CORE_TEXT);
  const bytes = new Uint8Array(CORE_SIZE);
  let next = 0;
  for (let index = 0; index < CORE_SIZE; index++) {
    const first = placeOf[letters[next++] ?? 0] ?? 0;
    bytes[index] = first < PAIRS_FROM ? first : PAIRS_FROM + (first - PAIRS_FROM) * LETTERS.length + (placeOf[letters[next++] ?? 0] ?? 0);
  }
  return bytes;
}
