// The Services of a workload as columns for C.
import { TwinServices } from '../twin/balancing.ts';
import { maglevSlots } from '../twin/maglev.ts';
import { TUPLES_V4 } from '../twin/tuples.ts';
import type { TwinOptions } from '../twin/twin.ts';
import type { NativeReferenceV4 } from './build.ts';

/** Rows that C compares at once. */
const BLOCK = 64;

/** Gives C the Services. */
export function serve(reference: NativeReferenceV4, { services, mode, scheduler }: TwinOptions): void {
  const twin = new TwinServices(services, mode, TUPLES_V4);
  const { ranges, count } = twin;
  const empty = new Int32Array(0);
  reference.serve(
    padded(ranges?.networks ?? twin.destinations),
    ranges === undefined ? empty : padded(ranges.masks),
    padded(twin.ports),
    ranges === undefined ? empty : padded(ranges.first, NO_PORT),
    ranges === undefined ? empty : padded(ranges.last),
    Int32Array.of(...twin.endpointsFrom, twin.backends.length),
    twin.backends,
    twin.backendPorts,
    scheduler === 'mh' ? maglevSlots(twin) : new Uint16Array(0),
    count,
  );
}

/** In a row of padding: from above the last port. */
const NO_PORT = 0x10000;

function padded(column: Int32Array, filling = -1): Int32Array {
  const whole = new Int32Array(Math.ceil(column.length / BLOCK) * BLOCK).fill(filling);
  whole.set(column);
  return whole;
}
