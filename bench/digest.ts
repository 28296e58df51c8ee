// What a pass gave, in a few words: equal digests mean the same verdict and the same translated tuple for each packet, in order.
import { VERDICT_LAYOUT } from 'svcplane';

export interface ResultDigest {
  readonly packets: number;
  /** Of action, connection state and translated tuple. */
  readonly tuples: string;
  /** Of the evaluated rules, and their mean a packet. The twin counts only the rows it scans. */
  readonly rules: string;
  readonly meanRules: number;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class VerdictDigest {
  readonly #layout: (typeof VERDICT_LAYOUT)['IPv4' | 'IPv6'];
  #packets = 0;
  #tuples = FNV_OFFSET;
  #rules = FNV_OFFSET;
  #ruleSum = 0;

  constructor(family: 'IPv4' | 'IPv6' = 'IPv4') {
    this.#layout = VERDICT_LAYOUT[family];
  }

  add(verdicts: Uint32Array, count: number): void {
    const layout = this.#layout;
    let tuples = this.#tuples;
    for (let index = 0; index < count; index++) {
      const at = index * layout.words;
      tuples = mix(tuples, (verdicts[at] ?? 0) & 0xffff); // action and connection
      tuples = mix(tuples, verdicts[at + layout.portsWord] ?? 0);
      for (let word = 0; word < 2 * layout.addressWords; word++) tuples = mix(tuples, verdicts[at + layout.sourceWord + word] ?? 0);
      const rules = verdicts[at + layout.rulesWord] ?? 0;
      this.#rules = mix(this.#rules, rules);
      this.#ruleSum += rules;
    }
    this.#tuples = tuples;
    this.#packets += count;
  }

  result(): ResultDigest {
    return {
      packets: this.#packets,
      tuples: hex(this.#tuples),
      rules: hex(this.#rules),
      meanRules: this.#ruleSum / Math.max(1, this.#packets),
    };
  }
}

/** Of frames: all their bytes, in order. */
export class FrameDigest {
  #frames = 0;
  #bytes = FNV_OFFSET;

  add(frame: Uint8Array): void {
    let bytes = mix(this.#bytes, frame.length);
    for (const byte of frame) bytes = mix(bytes, byte);
    this.#bytes = bytes;
    this.#frames++;
  }

  result(): ResultDigest {
    return { packets: this.#frames, tuples: hex(this.#bytes), rules: hex(0), meanRules: 0 };
  }
}

/** FNV-1a by words, with a rotation so that the high bits reach the low ones. */
function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, FNV_PRIME);
  return ((mixed << 13) | (mixed >>> 19)) >>> 0;
}

function hex(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, '0');
}
