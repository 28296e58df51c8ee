// The bytes of a file or of standard input → text: UTF-8, or the UTF-16 that `kubectl get -o yaml > file` writes in Windows PowerShell.
import { InputError } from './io.ts';

/** @param origin names the bytes in the error. @throws InputError when they are no text */
export function decodeText(bytes: Uint8Array, origin: string): string {
  const text = new TextDecoder(encodingOf(bytes)).decode(bytes);
  if (text.includes('\0')) throw new InputError(`${origin}: is binary, expected text`);
  return text;
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}
