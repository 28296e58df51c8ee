// Makes the engine that the options ask for. `auto` takes WebAssembly where it runs, and says so where it does not.
import type { Engine, EngineOptions } from './engine.ts';
import { createJsEngine } from './js/engine.ts';
import { type Core, loadCore, loadCoreSync } from './wasm/core.ts';
import { WasmEngine } from './wasm/engine.ts';

export type EngineChoice = 'auto' | 'wasm' | 'js';

/** @throws CoreError when `wasm` is asked for and cannot start */
export async function createEngine(choice: EngineChoice, options: EngineOptions, onWarning: (message: string) => void): Promise<Engine> {
  if (choice === 'js') return createJsEngine(options);
  try {
    return withCore(await loadCore(), options);
  } catch (error) {
    return fallBack(choice, options, onWarning, error);
  }
}

/** The same without waiting: for Node and workers. @throws CoreError */
export function createEngineSync(choice: EngineChoice, options: EngineOptions, onWarning: (message: string) => void): Engine {
  if (choice === 'js') return createJsEngine(options);
  try {
    return withCore(loadCoreSync(), options);
  } catch (error) {
    return fallBack(choice, options, onWarning, error);
  }
}

function withCore(core: Core, options: EngineOptions): Engine {
  return new WasmEngine(core, options);
}

function fallBack(choice: EngineChoice, options: EngineOptions, onWarning: (message: string) => void, error: unknown): Engine {
  if (choice === 'wasm') throw error;
  onWarning(`WebAssembly does not run here, the TypeScript engine does: ${error instanceof Error ? error.message : String(error)}`);
  return createJsEngine(options);
}
