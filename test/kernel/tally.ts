// The sum of a run, over all variants: what CI prints at the end.
import type { AffinityReport } from './affinity.ts';
import type { Certificate } from './certification.ts';

export class Tally {
  #connections = 0;
  #disagreements = 0;
  #unspoken = 0;
  #bound = 0;
  #readBack = 0;
  readonly #byAction: Record<string, number> = {};

  add({ connections, stories, unspoken, byAction }: Certificate): void {
    this.#connections += connections;
    this.#disagreements += stories.length;
    this.#unspoken += unspoken;
    for (const [action, count] of Object.entries(byAction)) this.#byAction[action] = (this.#byAction[action] ?? 0) + count;
  }

  addAffinity({ connections, bound, disagreements }: AffinityReport): void {
    this.#connections += connections;
    this.#bound += bound;
    this.#disagreements += disagreements.length;
  }

  countReadBack(): void {
    this.#readBack++;
  }

  get connections(): number {
    return this.#connections;
  }

  get report(): string {
    const actions = Object.entries(this.#byAction).map(([action, count]) => `${action} ${count}`);
    const rest = `${this.#bound} of clients bound by session affinity; ${this.#unspoken} probes of SCTP not opened; ${this.#readBack} rulesets read back`;
    return `${this.#connections} connections, ${this.#disagreements} disagreements (${actions.join(', ')}; ${rest})`;
  }
}
