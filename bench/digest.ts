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

const VERDICT = VERDICT_LAYOUT.IPv4;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class VerdictDigest {
  #packets = 0;
  #tuples = FNV_OFFSET;
  #rules = FNV_OFFSET;
  #ruleSum = 0;

  add(verdicts: Uint32Array, count: number): void {
    let tuples = this.#tuples;
    for (let index = 0; index < count; index++) {
      const at = index * VERDICT.words;
      tuples = mix(tuples, (verdicts[at] ?? 0) & 0xffff); // action and connection
      tuples = mix(tuples, verdicts[at + VERDICT.portsWord] ?? 0);
      tuples = mix(tuples, verdicts[at + VERDICT.sourceWord] ?? 0);
      tuples = mix(tuples, verdicts[at + VERDICT.destinationWord] ?? 0);
      const rules = verdicts[at + VERDICT.rulesWord] ?? 0;
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
