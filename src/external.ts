// The entry `svcplane/external`: the library with a core that the caller brings, for pages whose policy or cache wants core.wasm as a file.
import type { Dataplane, DataplaneOptions } from './dataplane-types.ts';
import { createJsEngine } from './engine/js/engine.ts';
import { startEngine, startEngineSync } from './engine/start.ts';
import type { CompiledCore, CoreSource } from './engine/wasm/core-source.ts';
import { createWasmEngine } from './engine/wasm/engine.ts';
import { codeOf, readCore } from './engine/wasm/read-core.ts';
import { NodeDataplane, prepare } from './node-dataplane.ts';

export type { CompiledCore, CoreSource, FetchedCore } from './engine/wasm/core-source.ts';
export * from './library.ts';

const ENGINES = { makeWasm: createWasmEngine, makeJs: createJsEngine };

/** The options of a dataplane, and where its core comes from. */
export interface ExternalDataplaneOptions extends DataplaneOptions {
  /** core.wasm of the same version of the package (`svcplane/core.wasm`): its URL, its Response, its bytes, or the compiled Module. */
  readonly core: CoreSource | Promise<CoreSource>;
}

/**
 * As `createDataplane` of `svcplane`, with the core from `options.core`.
 *
 * @throws CoreError when the core cannot be fetched, is none, or belongs to another version of the package. Where the platform refuses
 * WebAssembly, `engine: 'auto'` takes the TypeScript engine and says so through `onWarning`.
 *
 * @example
 * const core = new URL('svcplane/core.wasm', import.meta.url); // bundlers turn this into the file's address
 * const dataplane = await createDataplane({ core, nodeName: 'node-1' });
 */
export async function createDataplane(options: ExternalDataplaneOptions): Promise<Dataplane> {
  const start = prepare(options);
  return new NodeDataplane(await startEngine(ENGINES, start, () => readCore(options.core)), start);
}

/** The same at once, from bytes or a compiled Module: for Node and workers. */
export function createDataplaneSync(
  options: DataplaneOptions & { readonly core: ArrayBuffer | ArrayBufferView | CompiledCore },
): Dataplane {
  const start = prepare(options);
  return new NodeDataplane(
    startEngineSync(ENGINES, start, () => codeOf(options.core)),
    start,
  );
}
