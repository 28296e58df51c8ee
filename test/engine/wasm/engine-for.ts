// A WebAssembly engine by itself, as a dataplane of a mode has it.
import { settleConfig } from '../../../src/api/settings.ts';
import { nodeIpvsSysctls } from '../../../src/engine/ipvs-sysctls.ts';
import { startCoreSync } from '../../../src/engine/wasm/core.ts';
import { embeddedCore } from '../../../src/engine/wasm/embedded-core.ts';
import { WasmEngine } from '../../../src/engine/wasm/engine.ts';
import type { ProxyMode } from '../../../src/packet.ts';

export function engineFor(mode: ProxyMode): WasmEngine {
  const { timeouts } = settleConfig({ mode });
  return new WasmEngine(startCoreSync(embeddedCore()), {
    seed: 1,
    conntrackMax: 1000,
    timeouts,
    tcpLoose: true,
    ipvsSysctls: nodeIpvsSysctls(mode),
  });
}
