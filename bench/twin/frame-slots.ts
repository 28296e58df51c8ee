// Frames in slots of one cache line, two bytes in front of each so that addresses and ports lie on words.
export const SLOT_BYTES = 64;
const FRAME = 2;

export class FrameSlots {
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Int32Array;
  readonly lengths: Int32Array;

  constructor(count: number) {
    this.bytes = new Uint8Array(count * SLOT_BYTES);
    this.halves = new Uint16Array(this.bytes.buffer);
    this.words = new Int32Array(this.bytes.buffer);
    this.lengths = new Int32Array(count);
  }

  set(index: number, frame: Uint8Array): void {
    this.bytes.set(frame, index * SLOT_BYTES + FRAME);
    this.lengths[index] = frame.length;
  }

  /** @param length of the frame as it came: a copy has the same */
  frame(index: number, length: number): Uint8Array {
    return this.bytes.subarray(index * SLOT_BYTES + FRAME, index * SLOT_BYTES + FRAME + length);
  }
}
