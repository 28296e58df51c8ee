// Which rules of a chain can matter to a packet: a rule that asks for one destination address or port is passed over, unseen, by
// packets that go elsewhere. Thousands of Services then cost a walk no more than one.
import { parsePrefix } from '../address.ts';
import type { Chain, Match, Rule } from '../program/ruleset.ts';
import type { WalkedPacket } from './packet.ts';
import { rememberBy } from './remember.ts';

/** Below this a scan is as fast. */
const RULES_MIN = 16;
const WORD_BITS = 32;

interface ChainIndex {
  /** Positions of rules that ask for no single address or port. */
  readonly always: readonly number[];
  /** Positions by address, or by port where a rule asks for no address. */
  readonly byDestination: ReadonlyMap<string | number, readonly number[]>;
}

/** The positions of all rules. */
export const allRules = rememberBy((chain: Chain): readonly number[] => chain.rules.map((_, position) => position));

const indexOf = rememberBy(indexChain);

/** The positions of all rules that may hold for the packet, in order. Those left out fail, draw nothing and remember nothing. */
export function rulesThatMayHold(chain: Chain, { destination }: WalkedPacket): readonly number[] {
  if (chain.rules.length < RULES_MIN) return allRules(chain);
  const index = indexOf(chain);
  const byAddress = index.byDestination.get(destination.address.text) ?? [];
  const byPort = index.byDestination.get(destination.port) ?? [];
  if (byAddress.length + byPort.length === 0) return index.always;
  return [...index.always, ...byAddress, ...byPort].sort((a, b) => a - b);
}

function indexChain(chain: Chain): ChainIndex {
  const always: number[] = [];
  const byDestination = new Map<string | number, number[]>();
  for (const [position, rule] of chain.rules.entries()) {
    const key = destinationOf(rule);
    const positions = key === undefined ? always : (byDestination.get(key) ?? []);
    positions.push(position);
    if (key !== undefined) byDestination.set(key, positions);
  }
  return { always, byDestination };
}

/** The one address, else the one port, that a rule asks for before it asks anything that leaves a trace. */
function destinationOf({ matches }: Rule): string | number | undefined {
  const firstEffect = matches.findIndex(({ kind }) => kind === 'statistic' || kind === 'recent');
  const asked = firstEffect < 0 ? matches : matches.slice(0, firstEffect);
  return first(asked, wholeAddress) ?? first(asked, singlePort);
}

function first<Key>(matches: readonly Match[], keyOf: (match: Match) => Key | undefined): Key | undefined {
  for (const match of matches) {
    const key = keyOf(match);
    if (key !== undefined) return key;
  }
  return undefined;
}

function wholeAddress(match: Match): string | undefined {
  if (match.kind !== 'destination' || match.negated) return undefined;
  const prefix = parsePrefix(match.prefix);
  return prefix?.length === (prefix?.words.length ?? 0) * WORD_BITS ? prefix?.text.split('/')[0] : undefined;
}

function singlePort(match: Match): number | undefined {
  return match.kind === 'destinationPort' && !match.negated && match.from === match.to ? match.from : undefined;
}
