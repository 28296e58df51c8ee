// Picks the compiler of a proxy mode.
import type { ProxyMode } from '../packet.ts';
import type { Program } from '../program/program.ts';
import type { ExpectedState } from '../state/expected-state.ts';
import { compileIptables } from './iptables.ts';
import { compileIpvs } from './ipvs.ts';
import { compileNftables } from './nftables.ts';
import type { CompileOptions } from './options.ts';

/** What a node in this mode would program for one family. @throws UnsupportedError for what a mode cannot do yet. */
export function compile(mode: ProxyMode, state: ExpectedState, options: CompileOptions): Program {
  switch (mode) {
    case 'iptables':
      return compileIptables(state, options);
    case 'ipvs':
      return compileIpvs(state, options);
    case 'nftables':
      return compileNftables(state, options);
  }
}
