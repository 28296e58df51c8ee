// The dataplane of the entry `svcplane`: the core that the package carries, or the TypeScript engine where WebAssembly does not run.
import type { Dataplane, DataplaneOptions } from './dataplane-types.ts';
import { createJsEngine } from './engine/js/engine.ts';
import { startEngine, startEngineSync } from './engine/start.ts';
import { embeddedCore } from './engine/wasm/embedded-core.ts';
import { createWasmEngine } from './engine/wasm/engine.ts';
import { NodeDataplane, prepare } from './node-dataplane.ts';

const ENGINES = { makeWasm: createWasmEngine, makeJs: createJsEngine };

/**
 * A dataplane: what one node would do with packets, from the objects that kube-proxy watches.
 *
 * @throws InvalidArgumentError for an option that makes no sense, UnsupportedError for a mode that does not exist, CoreError when
 * `engine: 'wasm'` cannot start.
 *
 * @example
 * const dataplane = await createDataplane({ nodeName: 'node-1', nodeIPs: ['192.168.0.11'] });
 * dataplane.apply(parseManifests(yaml));
 * dataplane.process({ protocol: 'TCP', source: '10.244.1.5', sourcePort: 40000, destination: '10.96.0.20', destinationPort: 80 });
 */
export async function createDataplane(options: DataplaneOptions = {}): Promise<Dataplane> {
  const start = prepare(options);
  return new NodeDataplane(await startEngine(ENGINES, start, embeddedCore), start);
}

/** The same at once, for Node and workers; some pages allow only small WebAssembly modules here. */
export function createDataplaneSync(options: DataplaneOptions = {}): Dataplane {
  const start = prepare(options);
  return new NodeDataplane(startEngineSync(ENGINES, start, embeddedCore), start);
}
