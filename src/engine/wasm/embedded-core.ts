// The core that the package carries, as bytes. Apart from core.ts, so that an entry which gets its core from elsewhere does not carry it too.
import { CORE_BASE64 } from './core-bytes.ts';

/** The bytes of core.wasm. */
export function embeddedCore(): Uint8Array<ArrayBuffer> {
  const text = atob(CORE_BASE64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
