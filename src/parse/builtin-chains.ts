// The chains that netfilter calls, table by table: what a dump takes for granted.
import { type Chain, type ChainType, HOOK_PRIORITY, type Hook } from '../program/ruleset.ts';

type Base = Omit<NonNullable<Chain['base']>, 'policy'>;

const ALL_HOOKS: readonly Hook[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];

const HOOKS: Readonly<Record<string, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ALL_HOOKS,
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

export function isTableName(name: string): boolean {
  return Object.hasOwn(HOOKS, name);
}

/** Where netfilter calls the chain of that name; undefined: it does not, rules do. */
export function builtinBase(table: string, chain: string): Base | undefined {
  const hook = (HOOKS[table] ?? []).find((name) => name === chain);
  return hook === undefined ? undefined : { hook, type: typeOf(table, hook), priority: priorityOf(table, hook) };
}

/** mangle OUTPUT may change the route. */
function typeOf(table: string, hook: Hook): ChainType {
  if (table === 'nat') return 'nat';
  return table === 'mangle' && hook === 'OUTPUT' ? 'route' : 'filter';
}

function priorityOf(table: string, hook: Hook): number {
  switch (table) {
    case 'raw':
      return HOOK_PRIORITY.raw;
    case 'mangle':
      return HOOK_PRIORITY.mangle;
    case 'nat':
      return hook === 'PREROUTING' || hook === 'OUTPUT' ? HOOK_PRIORITY.natDestination : HOOK_PRIORITY.natSource;
    case 'security':
      return HOOK_PRIORITY.security;
    default:
      return HOOK_PRIORITY.filter;
  }
}
