// The sum of a run, over all variants: what CI prints at the end.
import type { Certificate } from './certification.ts';

export class Tally {
  #connections = 0;
  #disagreements = 0;
  #unspoken = 0;
  readonly #byAction: Record<string, number> = {};

  add({ connections, stories, unspoken, byAction }: Certificate): void {
    this.#connections += connections;
    this.#disagreements += stories.length;
    this.#unspoken += unspoken;
    for (const [action, count] of Object.entries(byAction)) this.#byAction[action] = (this.#byAction[action] ?? 0) + count;
  }

  get connections(): number {
    return this.#connections;
  }

  get report(): string {
    const actions = Object.entries(this.#byAction).map(([action, count]) => `${action} ${count}`);
    return `${this.#connections} connections, ${this.#disagreements} disagreements (${actions.join(', ')}; ${this.#unspoken} probes of SCTP not opened)`;
  }
}
