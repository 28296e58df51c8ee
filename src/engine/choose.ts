// Makes the engine that the options ask for. `auto` takes WebAssembly where it runs, and says so where it does not.
import type { Engine, EngineChoice, EngineOptions } from './engine.ts';
import { createJsEngine } from './js/engine.ts';
import { type CoreCode, startCore, startCoreSync, WebAssemblyRefusedError } from './wasm/core.ts';
import { WasmEngine } from './wasm/engine.ts';

export interface EngineRequest {
  readonly engineChoice: EngineChoice;
  readonly engineOptions: EngineOptions;
  readonly onWarning: (message: string) => void;
}

/** @throws CoreError when `wasm` is asked for and cannot start, and whatever `readCore` throws */
export async function createEngine(request: EngineRequest, readCore: () => CoreCode | Promise<CoreCode>): Promise<Engine> {
  if (request.engineChoice === 'js') return createJsEngine(request.engineOptions);
  const code = await readCore();
  try {
    return new WasmEngine(await startCore(code), request.engineOptions);
  } catch (error) {
    return fallBack(request, error);
  }
}

/** The same without waiting: for Node and workers. @throws CoreError */
export function createEngineSync(request: EngineRequest, readCore: () => CoreCode): Engine {
  if (request.engineChoice === 'js') return createJsEngine(request.engineOptions);
  const code = readCore();
  try {
    return new WasmEngine(startCoreSync(code), request.engineOptions);
  } catch (error) {
    return fallBack(request, error);
  }
}

/** Only for platforms that refuse: a core that is stale or breaks is never passed over. */
function fallBack({ engineChoice, engineOptions, onWarning }: EngineRequest, error: unknown): Engine {
  if (engineChoice === 'wasm' || !(error instanceof WebAssemblyRefusedError)) throw error;
  onWarning(`WebAssembly does not run here, the TypeScript engine does: ${error.message}`);
  return createJsEngine(engineOptions);
}
