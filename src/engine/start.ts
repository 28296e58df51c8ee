// Starts the engine that is asked for. `auto` takes WebAssembly where it runs, and says so where it does not.
import type { EngineChoice } from './engine.ts';
import { type Core, type CoreCode, startCore, startCoreSync, WebAssemblyRefusedError } from './wasm/core.ts';

/** How to make either engine of a kind, and which one is wanted. */
export interface EngineStart<E> {
  readonly choice: EngineChoice;
  readonly onWarning: (message: string) => void;
  makeWasm(core: Core): E;
  makeJs(): E;
}

/** @throws CoreError when `wasm` is asked for and cannot start, and whatever `readCore` throws */
export async function startEngine<E>(start: EngineStart<E>, readCore: () => CoreCode | Promise<CoreCode>): Promise<E> {
  if (start.choice === 'js') return start.makeJs();
  const code = await readCore();
  try {
    return start.makeWasm(await startCore(code));
  } catch (error) {
    return fallBack(start, error);
  }
}

/** The same without waiting: for Node and workers. @throws CoreError */
export function startEngineSync<E>(start: EngineStart<E>, readCore: () => CoreCode): E {
  if (start.choice === 'js') return start.makeJs();
  const code = readCore();
  try {
    return start.makeWasm(startCoreSync(code));
  } catch (error) {
    return fallBack(start, error);
  }
}

/** Only for platforms that refuse: a core that is stale or breaks is never passed over. */
function fallBack<E>({ choice, onWarning, makeJs }: EngineStart<E>, error: unknown): E {
  if (choice === 'wasm' || !(error instanceof WebAssemblyRefusedError)) throw error;
  onWarning(`WebAssembly does not run here, the TypeScript engine does: ${error.message}`);
  return makeJs();
}
