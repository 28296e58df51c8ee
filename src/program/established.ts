// What filter chains do with packets of known connections: a constant number of rules where the Program allows the proof,
// otherwise the chains must run for each packet. Both engines ask this at load time and never at packet time.
import { CHAIN_DEPTH_MAX, PATH_FORWARD, PATH_INPUT, PATH_IPVS, PATH_LOOPBACK, PATH_OUTPUT } from '../../assembly/shared/layout.ts';
import type { Program } from './program.ts';
import type { Chain, Hook, Match, Rule, Table, Target } from './ruleset.ts';
import type { VerdictMap } from './sets.ts';

/** For each PATH_* of the layout: the rules evaluated, or `run` where a rule might drop or reject. */
export type EstablishedPaths = readonly (number | 'run')[];

type Certainty = 'yes' | 'no' | 'maybe';

/** Ways in which a walk that enters a chain can leave it. */
interface Exits {
  readonly mayRefuse: boolean;
  readonly mayReturn: boolean;
  /** Places that jumps inside may have to remember at once. */
  readonly depth: number;
}

interface Scope {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly maps: ReadonlyMap<string, VerdictMap>;
  readonly exits: Map<string, Exits>;
}

const pathHooks: readonly (readonly [number, readonly Hook[]])[] = [
  [PATH_FORWARD, ['PREROUTING', 'FORWARD', 'POSTROUTING']],
  [PATH_INPUT, ['PREROUTING', 'INPUT']],
  [PATH_OUTPUT, ['OUTPUT', 'POSTROUTING']],
  [PATH_LOOPBACK, ['OUTPUT', 'POSTROUTING', 'PREROUTING', 'INPUT']],
  [PATH_IPVS, ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING']],
];

/** A chain that leads to itself may nest without end: its packets run. */
const endless: Exits = { mayRefuse: true, mayReturn: true, depth: 0 };

/**
 * Walks the chains of the hooks of each path (nat chains left out) with a packet of state ESTABLISHED of which nothing else is known.
 * A match is certain only when the state decides it; a rule none of whose matches is certainly false, but not all certainly
 * true, may go either way: if its target is drop, reject or leads (jump, goto, vmap) to one that might be reached, the path is `run`;
 * if it accepts, returns or only marks, it counts as not matched.
 */
export function establishedPaths(program: Program): EstablishedPaths {
  const maps = new Map(program.maps.map((map) => [map.name, map]));
  const hookRules = new Map<Hook, number | 'run'>();
  for (const table of program.tables) {
    const scope: Scope = { chains: new Map(table.chains.map((chain) => [chain.name, chain])), maps, exits: new Map() };
    for (const [hook, rules] of baseChainRules(table, scope)) hookRules.set(hook, addRules(hookRules.get(hook) ?? 0, rules));
  }
  const paths: (number | 'run')[] = [];
  for (const [path, hooks] of pathHooks) paths[path] = hooks.map((hook) => hookRules.get(hook) ?? 0).reduce(addRules, 0);
  return paths;
}

function* baseChainRules(table: Table, scope: Scope): Generator<readonly [Hook, number | 'run']> {
  for (const chain of table.chains) {
    if (chain.base === undefined || chain.base.type === 'nat') continue;
    const { mayRefuse, mayReturn, depth } = exitsOf(chain.name, scope);
    const mayDrop = mayRefuse || (mayReturn && chain.base.policy === 'drop') || depth > CHAIN_DEPTH_MAX;
    yield [chain.base.hook, mayDrop ? 'run' : countRules(chain, scope).rules];
  }
}

function addRules(a: number | 'run', b: number | 'run'): number | 'run' {
  return a === 'run' || b === 'run' ? 'run' : a + b;
}

/** What may happen to a packet in a chain, whichever way the uncertain rules go. */
function exitsOf(name: string, scope: Scope): Exits {
  const known = scope.exits.get(name);
  if (known !== undefined) return known;
  scope.exits.set(name, endless);
  let mayRefuse = false;
  let mayReturn = false;
  let depth = 0;
  let isEndReached = true;
  for (const rule of scope.chains.get(name)?.rules ?? []) {
    const certainty = certaintyOf(rule);
    if (certainty === 'no') continue;
    const exits = targetExits(rule.target, scope);
    mayRefuse ||= exits.mayRefuse;
    mayReturn ||= exits.mayReturn;
    depth = Math.max(depth, exits.depth);
    isEndReached = certainty === 'maybe' || exits.mayGoOn;
    if (!isEndReached) break;
  }
  const exits = { mayRefuse, mayReturn: mayReturn || isEndReached, depth };
  scope.exits.set(name, exits);
  return exits;
}

/** What a target leads to when its rule matches. `mayGoOn`: possibly to the next rule. */
function targetExits(target: Target, scope: Scope): Exits & { readonly mayGoOn: boolean } {
  const nothing = { mayRefuse: false, mayReturn: false, depth: 0, mayGoOn: false };
  switch (target.kind) {
    case 'drop':
    case 'reject':
      return { ...nothing, mayRefuse: true };
    case 'return':
      return { ...nothing, mayReturn: true };
    case 'jump': {
      const { mayRefuse, mayReturn, depth } = exitsOf(target.chain, scope);
      return { mayRefuse, mayReturn: false, depth: depth + 1, mayGoOn: mayReturn };
    }
    case 'goto':
      return { ...exitsOf(target.chain, scope), mayGoOn: false };
    case 'randomVerdictMap': {
      // Which chain it is changes the number of rules, and draws: such packets run.
      return { ...nothing, mayRefuse: true };
    }
    case 'verdictMap': {
      const verdicts = (scope.maps.get(target.map)?.elements ?? []).map(({ verdict }) => verdict);
      const exits = verdicts.flatMap((verdict) => (verdict.kind === 'goto' ? exitsOf(verdict.chain, scope) : []));
      return {
        mayRefuse: verdicts.some(({ kind }) => kind === 'drop') || exits.some(({ mayRefuse }) => mayRefuse),
        mayReturn: exits.some(({ mayReturn }) => mayReturn),
        depth: exits.reduce((deepest, { depth }) => Math.max(deepest, depth), 0),
        mayGoOn: true,
      };
    }
    case 'none':
    case 'mark':
    case 'updateSet':
      return { ...nothing, mayGoOn: true };
    default:
      return nothing;
  }
}

/** The rules looked at where nothing can refuse, uncertain rules counting as not matched. */
function countRules(chain: Chain | undefined, scope: Scope): { readonly rules: number; readonly isAccepted: boolean } {
  let rules = 0;
  for (const rule of chain?.rules ?? []) {
    rules++;
    if (certaintyOf(rule) !== 'yes') continue;
    const { target } = rule;
    if (target.kind === 'return') return { rules, isAccepted: false };
    if (target.kind === 'jump' || target.kind === 'goto') {
      const below = countRules(scope.chains.get(target.chain), scope);
      rules += below.rules;
      if (below.isAccepted || target.kind === 'goto') return { rules, isAccepted: below.isAccepted };
    } else if (!targetExits(target, scope).mayGoOn) {
      return { rules, isAccepted: true };
    }
  }
  return { rules, isAccepted: false };
}

function certaintyOf({ matches }: Rule): Certainty {
  const certainties = matches.map(matchCertainty);
  if (certainties.includes('no')) return 'no';
  return certainties.includes('maybe') ? 'maybe' : 'yes';
}

function matchCertainty(match: Match): Certainty {
  switch (match.kind) {
    case 'comment':
    case 'nfacct':
      return 'yes';
    case 'physdevIn':
      return match.negated ? 'yes' : 'no';
    case 'inert':
    case 'unmodelled':
      return 'no';
    case 'conntrackState':
      if (match.states.includes('ESTABLISHED')) return match.negated ? 'no' : 'yes';
      if (match.states.includes('DNAT') || match.states.includes('SNAT')) return 'maybe';
      return match.negated ? 'yes' : 'no';
    default:
      return 'maybe';
  }
}
