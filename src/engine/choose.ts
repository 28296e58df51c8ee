// Makes the engine of a dataplane that the options ask for.
import type { Engine, EngineChoice, EngineOptions } from './engine.ts';
import { createJsEngine } from './js/engine.ts';
import { type EngineStart, startEngine, startEngineSync } from './start.ts';
import type { CoreCode } from './wasm/core.ts';
import { WasmEngine } from './wasm/engine.ts';

export interface EngineRequest {
  readonly engineChoice: EngineChoice;
  readonly engineOptions: EngineOptions;
  readonly onWarning: (message: string) => void;
}

/** @throws CoreError when `wasm` is asked for and cannot start, and whatever `readCore` throws */
export function createEngine(request: EngineRequest, readCore: () => CoreCode | Promise<CoreCode>): Promise<Engine> {
  return startEngine(startOf(request), readCore);
}

/** The same without waiting: for Node and workers. @throws CoreError */
export function createEngineSync(request: EngineRequest, readCore: () => CoreCode): Engine {
  return startEngineSync(startOf(request), readCore);
}

function startOf({ engineChoice, engineOptions, onWarning }: EngineRequest): EngineStart<Engine> {
  return {
    choice: engineChoice,
    onWarning,
    makeWasm: (core) => new WasmEngine(core, engineOptions),
    makeJs: () => createJsEngine(engineOptions),
  };
}
