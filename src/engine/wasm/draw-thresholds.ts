// The thresholds of draws: how often the first of so many Endpoints that are left is taken. All chains that draw have one table of them.
import { ROOT_THRESHOLDS } from '../../../assembly/shared/layout.ts';
import { oneInThreshold } from '../../program/chance.ts';
import { type Block, NO_BLOCK, type Records } from './records.ts';

const COUNT_AT_FIRST = 64;

export class DrawThresholds {
  readonly #records: Records;
  #inForce: Block = NO_BLOCK;
  /** Of the change at hand. */
  #draft: Block = NO_BLOCK;

  constructor(records: Records) {
    this.#records = records;
  }

  /** A chain draws among so many Endpoints. */
  reach(endpointCount: number): void {
    if (endpointCount * 4 < this.#draft.size) return;
    this.#records.release(this.#draft);
    const count = Math.max(COUNT_AT_FIRST, endpointCount * 2);
    this.#draft = this.#records.allocate(count * 4);
    const { words } = this.#records.memory;
    for (let left = 1; left < count; left++) words[this.#draft.address / 4 + left] = oneInThreshold(left);
    this.#records.setField(ROOT_THRESHOLDS, this.#draft.address);
  }

  commit(): void {
    this.#inForce = this.#draft;
  }

  abort(): void {
    this.#draft = this.#inForce;
  }

  /** In force, for checks. */
  get block(): Block {
    return this.#inForce;
  }
}
