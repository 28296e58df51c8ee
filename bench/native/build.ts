// Builds the native reference on demand, with gcc and the headers that lie beside node, into a folder that git ignores.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MH_SLOT_COUNT } from '../../src/ipvs/js/schedulers/mh.ts';

/** What C offers; how it takes typed arrays, reference.c knows. */
export interface NativeReference {
  /** An empty table for so many connections. */
  create(flows: number): void;
  /** An established connection. @param service its number, 0xffffffff: none */
  insert(tuples: Uint32Array, isDnat: number, service: number, expiresAt: number): void;
  /** How many were packets of established connections. */
  process(packets: Uint32Array, verdicts: Uint32Array, count: number, nowMs: number, prefetches: number): number;
  /** Only the first parts of the work, with prefetch, and no verdicts. */
  processParts(packets: Uint32Array, count: number, nowMs: number, parts: number): number;
}

/** What C offers for IPv4 besides. */
export interface NativeReferenceV4 extends NativeReference {
  /** The Services, copied. Columns end in whole blocks of 64 rows; without `slots`: round robin. */
  serve(
    networks: Int32Array,
    masks: Int32Array,
    ports: Int32Array,
    firstPorts: Int32Array,
    lastPorts: Int32Array,
    backendsFrom: Int32Array,
    backends: Int32Array,
    backendPorts: Int32Array,
    slots: Uint16Array,
    count: number,
  ): void;
  /** How many connections began. @param finder how the Service is found, as FINDERS numbers it */
  processBeginnings(packets: Uint32Array, verdicts: Uint32Array, count: number, nowMs: number, prefetches: number, finder: number): number;
  /** How many frames left. */
  processFrames(slots: Uint8Array, lengths: Int32Array, count: number, out: Uint8Array, nowMs: number, prefetches: number): number;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCE = join(HERE, 'reference.c');
const FOLDER = join(HERE, 'build');
/** One a family: the words of an address are a constant of the C code. */
const ADDONS = {
  IPv4: { file: join(FOLDER, 'reference-v4.node'), addressWords: 1 },
  IPv6: { file: join(FOLDER, 'reference-v6.node'), addressWords: 4 },
};

/** Why there is no native reference here; undefined: there is one, built and up to date. */
export function whyNoNative(): string | undefined {
  if (isFresh()) return undefined;
  const headers = join(dirname(dirname(process.execPath)), 'include', 'node');
  if (!existsSync(join(headers, 'node_api.h'))) return `there are no headers in ${headers}`;
  mkdirSync(FOLDER, { recursive: true });
  for (const { file, addressWords } of Object.values(ADDONS)) {
    const constants = [`-DADDRESS_WORDS=${addressWords}`, `-DMAGLEV_SLOTS=${MH_SLOT_COUNT}`];
    const flags = ['-O3', '-march=native', '-shared', '-fPIC', '-std=gnu11', '-Wall', ...constants];
    const { error, status, stderr } = spawnSync('gcc', [...flags, `-I${headers}`, '-o', file, SOURCE], { encoding: 'utf8' });
    if (error !== undefined) return 'there is no gcc';
    if (status !== 0) return `gcc: ${stderr.trim().split('\n')[0]}`;
  }
  return undefined;
}

/** @throws Error when it was not built */
export function loadNative(family: 'IPv4'): NativeReferenceV4;
export function loadNative(family: keyof typeof ADDONS): NativeReference;
export function loadNative(family: keyof typeof ADDONS): NativeReference {
  return createRequire(import.meta.url)(ADDONS[family].file) as NativeReference;
}

export function gccVersion(): string {
  const { status, stdout } = spawnSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' });
  return status === 0 ? `gcc ${stdout.trim()} -O3 -march=native` : 'no gcc';
}

function isFresh(): boolean {
  const sources = readdirSync(HERE).filter((name) => /\.[ch]$/.test(name));
  const newest = Math.max(...sources.map((name) => statSync(join(HERE, name)).mtimeMs));
  return Object.values(ADDONS).every(({ file }) => existsSync(file) && statSync(file).mtimeMs > newest);
}
