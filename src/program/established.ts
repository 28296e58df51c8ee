// What filter chains do with packets of known connections: a constant number of rules where the Program allows the proof,
// otherwise the chains must run for each packet. Both engines ask this at load time and never at packet time.
import { CHAIN_DEPTH_MAX, PATH_FORWARD, PATH_INPUT, PATH_IPVS, PATH_LOOPBACK, PATH_OUTPUT } from '../../assembly/shared/layout.ts';
import { type Base, basesOf, ChainIndex, isBase } from './base-chains.ts';
import { certaintyOf } from './certainty.ts';
import type { ProgramChange } from './change.ts';
import { type ConstantWalk, constantWalk } from './constant-walk.ts';
import { type ChainItem, EndpointChains } from './endpoint-chains.ts';
import type { Program } from './program.ts';
import { type Chain, HOOK_PRIORITY, type Hook, type Target } from './ruleset.ts';
import type { VerdictMap } from './sets.ts';

/** For each PATH_* of the layout: the rules evaluated, or `run` where a rule might drop or reject. */
export type EstablishedPaths = readonly (number | 'run')[];

/** Ways in which a walk that enters a chain can leave it. */
interface Exits {
  readonly mayRefuse: boolean;
  readonly mayReturn: boolean;
  /** Places that jumps inside may have to remember at once. */
  readonly depth: number;
}

/** The proof for a Program, and what it rests on. */
export interface EstablishedProof {
  readonly paths: EstablishedPaths;
  /** Rules before conntrack may refuse a packet, or keep it from being tracked: they are asked before connections are looked up. */
  readonly isAskedBeforeConntrack: boolean;
  /** All base chains, in the Program's order. */
  readonly bases: readonly Base[];
  /** What packets of new connections meet in each of them, where that is the same for all. */
  readonly constantWalks: ReadonlyMap<Base, ConstantWalk>;
  /** Chains and maps that were looked at. */
  readonly reads: ReadonlySet<Chain | VerdictMap>;
}

interface Scope {
  readonly chains: ChainIndex;
  readonly maps: ReadonlyMap<string, VerdictMap>;
  readonly exits: Map<string, Exits>;
  readonly reads: Set<Chain | VerdictMap>;
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
export function proofOf(program: Program): EstablishedProof {
  return prove(program, basesOf(program));
}

/** The proof for the next Program: the same one as long as nothing that it rests on changed. */
export function establishedProof(before: EstablishedProof | undefined, program: Program, change: ProgramChange): EstablishedProof {
  const changed = change.tables.flatMap(({ removed, added }) => [removed, added]);
  if (before === undefined || changed.some((chains) => chains.some(isBase))) return prove(program, basesOf(program));
  const { reads } = before;
  const wasRead = (item: ChainItem): boolean =>
    item instanceof EndpointChains ? item.chainsRead.some((chain) => reads.has(chain)) : reads.has(item);
  const isShaken = change.tables.some(({ removed }) => removed.some(wasRead)) || change.maps.removed.some((map) => reads.has(map));
  return isShaken ? prove(program, before.bases) : before;
}

function prove(program: Program, bases: readonly Base[]): EstablishedProof {
  const maps = new Map(program.maps.map((map) => [map.name, map]));
  const reads = new Set<Chain | VerdictMap>();
  const scopes = new Map(
    program.tables.map((table): [string, Scope] => [table.name, { chains: new ChainIndex(table), maps, exits: new Map(), reads }]),
  );
  const hookRules = new Map<Hook, number | 'run'>();
  const constantWalks = new Map<Base, ConstantWalk>();
  let isAskedBeforeConntrack = false;
  for (const base of bases) {
    const scope = scopes.get(base.table);
    if (scope === undefined) continue;
    const walk = constantWalk(base, scope.chains);
    if (walk !== undefined) {
      constantWalks.set(base, walk);
      for (const chain of walk.reads) reads.add(chain);
    }
    if (base.isNat) continue;
    const rules = baseChainRules(base, scope);
    hookRules.set(base.hook, addRules(hookRules.get(base.hook) ?? 0, rules));
    isAskedBeforeConntrack ||= rules === 'run' && base.priority < HOOK_PRIORITY.conntrack;
  }
  const paths: (number | 'run')[] = [];
  for (const [path, hooks] of pathHooks) paths[path] = hooks.map((hook) => hookRules.get(hook) ?? 0).reduce(addRules, 0);
  return { paths, isAskedBeforeConntrack, bases, constantWalks, reads };
}

function baseChainRules({ chain, policy }: Base, scope: Scope): number | 'run' {
  const { mayRefuse, mayReturn, depth } = exitsOf(chain.name, scope);
  const mayDrop = mayRefuse || (mayReturn && policy === 'drop') || depth > CHAIN_DEPTH_MAX;
  return mayDrop ? 'run' : countRules(chain, scope).rules;
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
  const chain = scope.chains.get(name);
  if (chain !== undefined) scope.reads.add(chain);
  for (const rule of chain?.rules ?? []) {
    const certainty = certaintyOf(rule, 'ESTABLISHED');
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
    case 'notrack':
      // No connection knows such a packet.
      return { ...nothing, mayRefuse: true, mayGoOn: true };
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
      const map = scope.maps.get(target.map);
      if (map !== undefined) scope.reads.add(map);
      const verdicts = (map?.elements ?? []).map(({ verdict }) => verdict);
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
    if (certaintyOf(rule, 'ESTABLISHED') !== 'yes') continue;
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
