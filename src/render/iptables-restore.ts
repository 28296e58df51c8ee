// A Ruleset as iptables-restore and ip6tables-restore read it: tables, all chains with their policies, then the rules.
import type { Rendered } from '../dataplane-types.ts';
import type { Program } from '../program/program.ts';
import type { Chain, Table } from '../program/ruleset.ts';
import { ruleText } from './rule-text.ts';

/** The whole ruleset of one family. Chains are declared before any rule, so jumps may lead forward. */
export function renderIptablesRestore(program: Program): Rendered {
  const text = program.tables.map((table) => tableText(table, program)).join('');
  return { tool: program.family === 'IPv4' ? 'iptables-restore' : 'ip6tables-restore', family: program.family, text };
}

function tableText(table: Table, program: Program): string {
  const rules = table.chains.flatMap((chain) => chain.rules.map((rule) => ruleText(rule, chain.name, program.family)));
  return `${[`*${table.name}`, ...table.chains.map(declaration), ...rules, 'COMMIT'].join('\n')}\n`;
}

/** `:INPUT ACCEPT [0:0]` for a base chain, `:KUBE-SERVICES - [0:0]` for others. */
function declaration(chain: Chain): string {
  const policy = chain.base === undefined ? '-' : chain.base.policy.toUpperCase();
  return `:${chain.name} ${policy} [0:0]`;
}
