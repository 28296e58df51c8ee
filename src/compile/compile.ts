// Picks the compiler of a proxy mode.
import type { ProxyMode } from '../packet.ts';
import type { Program } from '../program/program.ts';
import type { ExpectedState } from '../state/expected-state.ts';
import { createIptablesCompiler } from './iptables.ts';
import { createIpvsCompiler } from './ipvs.ts';
import { createNftablesCompiler } from './nftables.ts';
import type { CompileOptions } from './options.ts';

/** Compiles one family again and again. What did not change since the last time is the same object in the next Program. */
export type Compiler = (state: ExpectedState, options: CompileOptions) => Program;

/** The compiler of a mode. It throws UnsupportedError for what that mode cannot do yet. */
export function createCompiler(mode: ProxyMode): Compiler {
  switch (mode) {
    case 'iptables':
      return createIptablesCompiler();
    case 'ipvs':
      return createIpvsCompiler();
    case 'nftables':
      return createNftablesCompiler();
  }
}

/** What a node in this mode would program for one family. Same input, same Program. */
export function compile(mode: ProxyMode, state: ExpectedState, options: CompileOptions): Program {
  return createCompiler(mode)(state, options);
}
