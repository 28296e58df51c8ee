// The one place where dns-packet reads: it wants a Buffer, which Node has and bundles for browsers take from the package of that name.
import { Buffer } from 'buffer';
import { decode } from 'dns-packet';

/** A whole message; undefined when it is malformed anywhere. */
export function decodeMessage(message: Uint8Array): ReturnType<typeof decode> | undefined {
  try {
    return decode(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
  } catch {
    // dns-packet throws plain errors of several kinds, all of which mean one thing.
    return undefined;
  }
}
