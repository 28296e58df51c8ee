// A Program as the input of the node's own tools, in the order in which they must be applied.
import type { Rendered } from '../dataplane-types.ts';
import type { ProxyMode } from '../packet.ts';
import type { Program } from '../program/program.ts';
import { renderIptablesRestore } from './iptables-restore.ts';
import { renderDummyInterface, renderIpsets, renderIpvsadm } from './ipvs.ts';
import { renderNft } from './nft.ts';
import { renderSysctls } from './sysctl.ts';

/** Everything that makes an empty network namespace behave as the Program does. Sets come before the rules that ask them. */
export function render(mode: ProxyMode, program: Program): Rendered[] {
  const sysctls = renderSysctls(mode, program);
  const settings: Rendered[] = sysctls === '' ? [] : [{ tool: 'sysctl', family: program.family, text: sysctls }];
  if (mode === 'nftables') return [...settings, renderNft(program)];
  const rules = renderIptablesRestore(program);
  if (mode === 'iptables') return [...settings, rules];
  return [...settings, renderDummyInterface(program), renderIpsets(program), rules, renderIpvsadm(program)];
}
