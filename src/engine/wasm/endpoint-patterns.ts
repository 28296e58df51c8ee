// The rules of the chains of Endpoints of one table: chains that are alike have them once, as a pattern that names no Endpoint. Its rules are
// those of the Endpoint that a choice took.
import {
  CHAIN_RULES,
  MATCH_KIND,
  MATCH_SIZE,
  MATCH_SOURCE,
  MATCH_SOURCE_ENDPOINT,
  RULE_A,
  RULE_B,
  RULE_MATCH_COUNT,
  RULE_MATCHES,
  RULE_SERVICE_PORT,
  RULE_SIZE,
  RULE_TARGET,
  TARGET_DNAT,
  TARGET_DNAT_ENDPOINT,
} from '../../../assembly/shared/layout.ts';
import { CoreError } from '../../errors.ts';
import type { ChoiceChain } from '../../program/endpoint-chains.ts';
import { type ChainRecord, dropRules, newChainRecord, type PartSource, writeChain } from './chain-records.ts';

/** A pattern, and how many chains choose among Endpoints that have it. */
interface Pattern {
  readonly record: ChainRecord;
  uses: number;
}

export class EndpointPatterns {
  /** By likeness. */
  #inForce = new Map<string, Pattern>();
  /** Of the change at hand. */
  #draft = this.#inForce;

  /** Begins a change, which ends with `commit` or `abort`. */
  begin(): void {
    this.#draft = new Map(Array.from(this.#inForce, ([likeness, pattern]) => [likeness, { ...pattern }]));
  }

  /** The rules of the chains to choose from. A chain that chooses uses them until it is dropped. */
  use(choice: ChoiceChain, source: PartSource): ChainRecord {
    const likeness = likenessOf(choice);
    const known = this.#draft.get(likeness);
    if (known !== undefined) {
      known.uses++;
      return known.record;
    }
    const record = writePattern(choice, source);
    this.#draft.set(likeness, { record, uses: 1 });
    return record;
  }

  drop(choice: ChoiceChain): void {
    const pattern = this.#draft.get(likenessOf(choice));
    if (pattern !== undefined) pattern.uses--;
  }

  /** Those that nobody uses any more go. */
  dropUnused(source: PartSource): void {
    for (const [likeness, { record, uses }] of this.#draft) {
      if (uses > 0) continue;
      dropRules(record, source);
      this.#draft.delete(likeness);
    }
  }

  commit(): void {
    this.#inForce = this.#draft;
  }

  abort(): void {
    this.#draft = this.#inForce;
  }

  /** In force, for checks. */
  *all(): IterableIterator<ChainRecord> {
    for (const { record } of this.#inForce.values()) yield record;
  }
}

function likenessOf({ name, among: { likeness } }: ChoiceChain): string {
  if (likeness === undefined) throw new CoreError(`chain ${name} chooses among chains that are not alike`);
  return likeness;
}

/** A chain without a number. */
function writePattern({ among, endpoints }: ChoiceChain, source: PartSource): ChainRecord {
  const rules = endpoints.slice(0, 1).flatMap((endpoint) => among.rules(endpoint, ''));
  const record = newChainRecord({ name: `like ${among.key}`, rules }, 0);
  writeChain(record, undefined, source);
  const { words } = source.records.memory;
  const first = words[(record.block.address + CHAIN_RULES) / 4] ?? 0;
  for (let row = 0; row < record.count; row++) nameNoEndpoint(words, first + row * RULE_SIZE);
  return record;
}

/** In place of the Endpoint that the rule was made for: the one that was chosen. */
function nameNoEndpoint(words: Uint32Array, rule: number): void {
  const matches = words[(rule + RULE_MATCHES) / 4] ?? 0;
  const end = matches + (words[(rule + RULE_MATCH_COUNT) / 4] ?? 0) * MATCH_SIZE;
  for (let match = matches; match < end; match += MATCH_SIZE) {
    if (words[(match + MATCH_KIND) / 4] === MATCH_SOURCE) words[(match + MATCH_KIND) / 4] = MATCH_SOURCE_ENDPOINT;
  }
  words[(rule + RULE_SERVICE_PORT) / 4] = 0;
  if (words[(rule + RULE_TARGET) / 4] !== TARGET_DNAT) return;
  words[(rule + RULE_TARGET) / 4] = TARGET_DNAT_ENDPOINT;
  words[(rule + RULE_A) / 4] = 0;
  words[(rule + RULE_B) / 4] = 0;
}
