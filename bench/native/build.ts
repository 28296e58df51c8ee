// Builds the native reference on demand, with gcc and the headers that lie beside node, into a folder that git ignores.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface NativeReference {
  create(flows: number): void;
  insert(tuples: Uint32Array, isDnat: number, expiresAt: number): void;
  process(packets: Uint32Array, verdicts: Uint32Array, count: number, nowMs: number, prefetches: number): number;
  /** Only the first parts of the work, with prefetch, and no verdicts. */
  processParts(packets: Uint32Array, count: number, nowMs: number, parts: number): number;
}

const SOURCE = fileURLToPath(new URL('./reference.c', import.meta.url));
const FOLDER = fileURLToPath(new URL('./build/', import.meta.url));
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
    const flags = ['-O3', '-march=native', '-shared', '-fPIC', '-std=gnu11', `-DADDRESS_WORDS=${addressWords}`];
    const { error, status, stderr } = spawnSync('gcc', [...flags, `-I${headers}`, '-o', file, SOURCE], { encoding: 'utf8' });
    if (error !== undefined) return 'there is no gcc';
    if (status !== 0) return `gcc: ${stderr.trim().split('\n')[0]}`;
  }
  return undefined;
}

/** @throws Error when it was not built */
export function loadNative(family: keyof typeof ADDONS): NativeReference {
  return createRequire(import.meta.url)(ADDONS[family].file) as NativeReference;
}

export function gccVersion(): string {
  const { status, stdout } = spawnSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' });
  return status === 0 ? `gcc ${stdout.trim()} -O3 -march=native` : 'no gcc';
}

function isFresh(): boolean {
  return Object.values(ADDONS).every(({ file }) => existsSync(file) && statSync(file).mtimeMs > statSync(SOURCE).mtimeMs);
}
