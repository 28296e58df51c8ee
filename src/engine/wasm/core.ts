// Loads the WebAssembly core and calls it. The only file of src/ that touches its exports; every number that leaves is unsigned.
import { LAYOUT_VERSION } from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import { CoreError } from '../../errors.ts';
import { type IpvsCore, type IpvsExports, ipvsCore } from './ipvs-core.ts';

interface CoreExports extends IpvsExports, Record<string, unknown> {
  readonly memory: WebAssembly.Memory;
  layoutVersion(): number;
  heapBase(): number;
  stateAddress(): number;
  tableV4(): number;
  tableV6(): number;
  seedHash(low: number, high: number): void;
  sightingsV4(): number;
  sightingsV6(): number;
  moveSightingsV4(slots: number, count: number): void;
  moveSightingsV6(slots: number, count: number): void;
  tagV4(tuple: number, ofClass: number): number;
  tagV6(tuple: number, ofClass: number): number;
  bucketV4(tag: number): number;
  bucketV6(tag: number): number;
  findV4(tuple: number, ofClass: number): number;
  findV6(tuple: number, ofClass: number): number;
  foreseeRoomV4(now: number): number;
  foreseeRoomV6(now: number): number;
  connections(now: number): number;
  removeV4(entry: number): void;
  removeV6(entry: number): void;
  processV4(packets: number, verdicts: number, count: number, now: number): void;
  processV6(packets: number, verdicts: number, count: number, now: number): void;
  framesAddress(): number;
  processFrames(ring: number, first: number, count: number, now: number): void;
}

/** The core, with its two families behind one name each. */
export interface Core {
  readonly memory: WebAssembly.Memory;
  readonly heapBase: number;
  readonly stateAddress: number;
  tableAddress(family: Family): number;
  seedHash(low: number, high: number): void;
  sightingsAddress(family: Family): number;
  moveSightings(family: Family, slots: number, count: number): void;
  /** The tag of the tuple at an address, and the bucket that a tag belongs to. */
  tag(family: Family, tuple: number, ofClass: number): number;
  bucket(family: Family, tag: number): number;
  /** The entry, expired or not, that holds the tuple at an address, and in the lowest bit whether as its reply tuple; 0: none. */
  find(family: Family, tuple: number, ofClass: number): number;
  /** The entry, of either family, that a new connection would take the place of; ROOM_FREE: none that has not expired; 0: no room. */
  foreseeRoom(family: Family, now: number): number;
  /** Connections of both families that have not expired. */
  connections(now: number): number;
  remove(family: Family, entry: number): void;
  process(family: Family, packets: number, verdicts: number, count: number, now: number): void;
  /** Of what the core keeps about frames. */
  readonly framesAddress: number;
  processFrames(ring: number, first: number, count: number, now: number): void;
  readonly ipvs: IpvsCore;
}

/** A compiled core, or the bytes of one. */
export type CoreCode = Uint8Array<ArrayBuffer> | WebAssembly.Module;

/** The platform runs no WebAssembly, or not all that the core needs: forbidden by a policy, absent, or without SIMD. */
export class WebAssemblyRefusedError extends CoreError {
  override name = 'CoreError';
}

/** What a debug build of the core imports; a release, which has no assertions, imports nothing. */
const IMPORTS = {
  env: {
    abort(_message: number, _file: number, line: number, column: number): never {
      throw new Error(`an assertion of the core failed at line ${line}, column ${column}`);
    },
  },
};

/** Compiles and starts a core; works on every page that allows WebAssembly. @throws CoreError */
export async function startCore(code: CoreCode): Promise<Core> {
  return checkCore(await instantiateSoon(code).catch(refused));
}

/** The same at once: for Node and workers; some pages allow only small modules here. @throws CoreError */
export function startCoreSync(code: CoreCode): Core {
  return checkCore(instantiateHere(code));
}

async function instantiateSoon(code: CoreCode): Promise<CoreExports> {
  const module = code instanceof WebAssembly.Module ? code : await WebAssembly.compile(code);
  const { exports } = await WebAssembly.instantiate(module, IMPORTS);
  return exports as CoreExports;
}

function instantiateHere(code: CoreCode): CoreExports {
  try {
    const module = code instanceof WebAssembly.Module ? code : new WebAssembly.Module(code);
    return new WebAssembly.Instance(module, IMPORTS).exports as CoreExports;
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): never {
  throw new WebAssemblyRefusedError(`the core cannot start: ${error instanceof Error ? error.message : String(error)}`);
}

function checkCore(core: CoreExports): Core {
  const version = core.layoutVersion() >>> 0;
  if (version !== LAYOUT_VERSION)
    throw new CoreError(`the core has layout version ${version}, the library ${LAYOUT_VERSION}: one of them is stale`);
  return {
    memory: core.memory,
    ipvs: ipvsCore(core),
    heapBase: core.heapBase() >>> 0,
    stateAddress: core.stateAddress() >>> 0,
    tableAddress: (family) => (family === 'IPv4' ? core.tableV4() : core.tableV6()) >>> 0,
    seedHash: (low, high) => core.seedHash(low, high),
    sightingsAddress: (family) => (family === 'IPv4' ? core.sightingsV4() : core.sightingsV6()) >>> 0,
    moveSightings: (family, slots, count) => (family === 'IPv4' ? core.moveSightingsV4(slots, count) : core.moveSightingsV6(slots, count)),
    tag: (family, tuple, ofClass) => (family === 'IPv4' ? core.tagV4(tuple, ofClass) : core.tagV6(tuple, ofClass)) >>> 0,
    bucket: (family, tag) => (family === 'IPv4' ? core.bucketV4(tag) : core.bucketV6(tag)) >>> 0,
    find: (family, tuple, ofClass) => (family === 'IPv4' ? core.findV4(tuple, ofClass) : core.findV6(tuple, ofClass)) >>> 0,
    foreseeRoom: (family, now) => (family === 'IPv4' ? core.foreseeRoomV4(now) : core.foreseeRoomV6(now)) >>> 0,
    connections: (now) => core.connections(now) >>> 0,
    remove: (family, entry) => (family === 'IPv4' ? core.removeV4(entry) : core.removeV6(entry)),
    process(family, packets, verdicts, count, now) {
      try {
        if (family === 'IPv4') core.processV4(packets, verdicts, count, now);
        else core.processV6(packets, verdicts, count, now);
      } catch (error) {
        throw new CoreError(
          `the core trapped on a batch of ${count} ${family} packets: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
    framesAddress: core.framesAddress() >>> 0,
    processFrames(ring, first, count, now) {
      try {
        core.processFrames(ring, first, count, now);
      } catch (error) {
        throw new CoreError(
          `the core trapped on frames ${first} to ${first + count - 1}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
  };
}
