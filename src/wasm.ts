// The entry `svcplane/wasm`: the library on the WebAssembly core alone. Nothing it reaches knows the TypeScript engine.
import type { Dataplane, DataplaneOptions } from './dataplane-types.ts';
import { startCore, startCoreSync } from './engine/wasm/core.ts';
import { embeddedCore } from './engine/wasm/embedded-core.ts';
import { createWasmEngine } from './engine/wasm/engine.ts';
import { UnsupportedError } from './errors.ts';
import { NodeDataplane, prepare, type Start } from './node-dataplane.ts';

export * from './library.ts';

/**
 * As `createDataplane` of `svcplane`, on the WebAssembly core. A page that wants the other engine where WebAssembly is refused loads it then.
 *
 * @throws CoreError where WebAssembly, or its SIMD, is not allowed; UnsupportedError for `engine: 'js'`
 *
 * @example
 * const dataplane = await createDataplane({ nodeName: 'node-1' });
 * dataplane.engine; // 'wasm'
 */
export async function createDataplane(options: DataplaneOptions = {}): Promise<Dataplane> {
  const start = prepareWasm(options);
  return new NodeDataplane(createWasmEngine(await startCore(embeddedCore()), start.engineOptions), start);
}

/** The same at once, for Node and workers; some pages allow only small WebAssembly modules here. */
export function createDataplaneSync(options: DataplaneOptions = {}): Dataplane {
  const start = prepareWasm(options);
  return new NodeDataplane(createWasmEngine(startCoreSync(embeddedCore()), start.engineOptions), start);
}

function prepareWasm(options: DataplaneOptions): Start {
  const start = prepare(options);
  if (start.engineChoice === 'js')
    throw new UnsupportedError('engine js: the entry svcplane/wasm has none, expected auto or wasm, or the entry svcplane');
  return start;
}
