// The entry `svcplane/js`: the library on the TypeScript engine alone. Nothing it reaches knows WebAssembly.
import type { Dataplane, DataplaneOptions } from './dataplane-types.ts';
import { createJsEngine } from './engine/js/engine.ts';
import { UnsupportedError } from './errors.ts';
import { NodeDataplane, prepare } from './node-dataplane.ts';

export * from './library.ts';

/**
 * As `createDataplane` of `svcplane`, on the TypeScript engine. Asynchronous only so that both entries can take each other's place.
 *
 * @throws UnsupportedError for `engine: 'wasm'`
 *
 * @example
 * const dataplane = await createDataplane({ nodeName: 'node-1' });
 * dataplane.engine; // 'js'
 */
export async function createDataplane(options: DataplaneOptions = {}): Promise<Dataplane> {
  return createDataplaneSync(options);
}

/** The same at once. */
export function createDataplaneSync(options: DataplaneOptions = {}): Dataplane {
  const start = prepare(options);
  if (start.engineChoice === 'wasm')
    throw new UnsupportedError('engine wasm: the entry svcplane/js has none, expected auto or js, or the entry svcplane');
  return new NodeDataplane(createJsEngine(start.engineOptions), start);
}
