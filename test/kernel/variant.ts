// The three ways in which a kernel runs our rules, and whether this machine can.
import { spawnSync } from 'node:child_process';
import type { Family } from '../../src/address.ts';
import type { Rendered } from '../../src/dataplane-types.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { Network } from './network.ts';

export interface Variant {
  readonly name: string;
  readonly mode: ProxyMode;
  /** The programs that stand for a Rendered's tool. */
  readonly tools: Partial<Readonly<Record<Rendered['tool'], readonly string[]>>>;
  /** Empties what was loaded, with what the kernel remembers for it; and prints it back. */
  readonly emptied: Partial<Readonly<Record<Rendered['tool'], string>>>;
  readonly save?: Readonly<Record<Family, string>>;
}

const EMPTY_TABLES = '*filter\nCOMMIT\n*nat\nCOMMIT\n';

function iptablesVariant(name: string, flavour: 'legacy' | 'nft'): Variant {
  return {
    name,
    mode: 'iptables',
    tools: { 'iptables-restore': [`iptables-${flavour}-restore`], 'ip6tables-restore': [`ip6tables-${flavour}-restore`] },
    emptied: { 'iptables-restore': EMPTY_TABLES, 'ip6tables-restore': EMPTY_TABLES },
    save: { IPv4: `iptables-${flavour}-save`, IPv6: `ip6tables-${flavour}-save` },
  };
}

export const VARIANTS: readonly Variant[] = [
  iptablesVariant('iptables (legacy)', 'legacy'),
  iptablesVariant('iptables (nf_tables)', 'nft'),
  { name: 'nftables', mode: 'nftables', tools: { nft: ['nft', '-f', '-'] }, emptied: { nft: 'flush ruleset\n' } },
];

/** Why this machine cannot run any variant; undefined: it can. */
export function whyNoNetwork(): string | undefined {
  if (process.platform !== 'linux') return `${process.platform} is not linux`;
  if (process.getuid?.() !== 0) return 'network namespaces want root';
  const missing = ['ip', 'conntrack', 'sh'].filter((tool) => !isInstalled(tool));
  if (missing.length > 0) return `missing: ${missing.join(', ')}`;
  try {
    new Network('trial')[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return `no network namespaces: ${String(error)}`;
  }
}

/** Why this machine cannot run this variant. */
export function whyNot(variant: Variant): string | undefined {
  const wanted = [...Object.values(variant.tools).map(([tool = '']) => tool), ...Object.values(variant.save ?? {})];
  const missing = wanted.filter((tool) => !isInstalled(tool));
  return missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`;
}

/** A tool is on the path. */
export function isInstalled(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status === 0;
}
