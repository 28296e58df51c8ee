// Makes the processor of a variant for a workload.
import { EngineProcessor } from './engine-processor.ts';
import { MapDataplane } from './map/map.ts';
import { NativeBeginnings } from './native/beginnings.ts';
import { NativeFrames } from './native/frames.ts';
import { Native } from './native/native.ts';
import type { FrameProcessor, Processor } from './processor.ts';
import { benchServices } from './services.ts';
import { TwinFrames } from './twin/frames.ts';
import { Twin, type TwinOptions } from './twin/twin.ts';
import { isNative, type VariantName } from './variants.ts';
import { allFlowsOf, NOW_MS, type Workload } from './workload.ts';

export function createProcessor(variant: VariantName, workload: Workload): Processor {
  const options = twinOptions(workload);
  switch (variant) {
    case 'twin':
      return new Twin(options);
    case 'twin-staged':
      return new Twin({ ...options, isStaged: true });
    case 'map':
      return new MapDataplane(options);
    case 'native':
    case 'native-prefetch':
      return createNative(workload, variant === 'native-prefetch');
    default:
      return new EngineProcessor(variant === 'js' ? 'js' : 'wasm', workload, variant === 'wasm-single');
  }
}

export function createFrameProcessor(variant: VariantName, workload: Workload): FrameProcessor {
  const options = twinOptions(workload);
  if (variant === 'twin') return new TwinFrames(new Twin(options), workload.serviceCount, NOW_MS);
  if (isNative(variant)) return new NativeFrames(new Twin(options), options, variant === 'native-prefetch');
  if (variant === 'wasm' || variant === 'js') return new EngineProcessor(variant, workload, false);
  throw new Error(`${variant} knows no frames`);
}

function createNative(workload: Workload, prefetches: boolean): Processor {
  const options = twinOptions(workload);
  return workload.connections === 'new' ? new NativeBeginnings(options, prefetches) : new Native(new Twin(options), options, prefetches);
}

/** What the twin and all that is made of it must know. */
export function twinOptions(workload: Workload): TwinOptions {
  return { ...workload, services: benchServices(workload), flowCount: allFlowsOf(workload), nowMs: NOW_MS };
}
