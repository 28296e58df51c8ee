// Messages in a stream: two bytes of length in front of each (RFC 1035, 4.2.2).

const LENGTH_BYTES = 2;

/** Cuts a stream back into messages, however it arrives. */
export class MessageFramer {
  #chunks: Buffer[] = [];
  #byteCount = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#byteCount += chunk.length;
  }

  /** The next whole message, without its length; undefined when there is none yet. */
  next(): Buffer | undefined {
    if (this.#byteCount < LENGTH_BYTES) return undefined;
    let [first = Buffer.alloc(0)] = this.#chunks;
    if (first.length < LENGTH_BYTES) first = this.#joined();
    const end = LENGTH_BYTES + first.readUInt16BE(0);
    if (this.#byteCount < end) return undefined;
    if (first.length < end) first = this.#joined();
    const rest = first.subarray(end);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#byteCount -= end;
    return first.subarray(LENGTH_BYTES, end);
  }

  #joined(): Buffer {
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}

/** The message with its length in front. */
export function withLength(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + message.length);
  framed.writeUInt16BE(message.length, 0);
  framed.set(message, LENGTH_BYTES);
  return framed;
}
