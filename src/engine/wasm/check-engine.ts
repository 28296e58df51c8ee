// The self-check of an engine: all that it holds in linear memory. For tests, after every mutation; no entry of the package carries it.
import { checkIpvs } from '../../ipvs/wasm/check-ipvs.ts';
import { checkConnections } from './check-connections.ts';
import { checkTables } from './check-tables.ts';
import type { WasmEngine } from './engine.ts';

/** @throws CoreError that names the first invariant that does not hold. */
export function checkEngine(engine: WasmEngine): void {
  const { core, memory, families, ipvs } = engine.parts();
  for (const family of ['IPv4', 'IPv6'] as const) {
    const { program, hasConnections } = families[family];
    if (program.isLoaded) checkTables(program.parts());
    if (hasConnections) checkConnections(core, memory, family);
  }
  checkIpvs(ipvs);
}
