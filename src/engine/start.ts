// Starts the engine that is asked for. `auto` takes WebAssembly where it runs, and says so where it does not.
import type { EngineChoice } from './engine.ts';
import { type Core, type CoreCode, startCore, startCoreSync, WebAssemblyRefusedError } from './wasm/core.ts';

/** Both engines of a kind: each entry of the package names its own, so that none loads what it does not need. */
export interface Engines<E, Options> {
  makeWasm(core: Core, options: Options): E;
  makeJs(options: Options): E;
}

export interface EngineRequest<Options> {
  readonly engineChoice: EngineChoice;
  readonly engineOptions: Options;
  readonly onWarning: (message: string) => void;
}

/** @throws CoreError when `wasm` is asked for and cannot start, and whatever `readCore` throws */
export async function startEngine<E, Options>(
  engines: Engines<E, Options>,
  request: EngineRequest<Options>,
  readCore: () => CoreCode | Promise<CoreCode>,
): Promise<E> {
  if (request.engineChoice === 'js') return engines.makeJs(request.engineOptions);
  const code = await readCore();
  try {
    return engines.makeWasm(await startCore(code), request.engineOptions);
  } catch (error) {
    return fallBack(engines, request, error);
  }
}

/** The same without waiting: for Node and workers. @throws CoreError */
export function startEngineSync<E, Options>(engines: Engines<E, Options>, request: EngineRequest<Options>, readCore: () => CoreCode): E {
  if (request.engineChoice === 'js') return engines.makeJs(request.engineOptions);
  const code = readCore();
  try {
    return engines.makeWasm(startCoreSync(code), request.engineOptions);
  } catch (error) {
    return fallBack(engines, request, error);
  }
}

/** Only for platforms that refuse: a core that is stale or breaks is never passed over. */
function fallBack<E, Options>({ makeJs }: Engines<E, Options>, request: EngineRequest<Options>, error: unknown): E {
  const { engineChoice, engineOptions, onWarning } = request;
  if (engineChoice === 'wasm' || !(error instanceof WebAssemblyRefusedError)) throw error;
  onWarning(`WebAssembly does not run here, the TypeScript engine does: ${error.message}`);
  return makeJs(engineOptions);
}
