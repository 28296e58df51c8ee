// Reads a core that the caller brings: fetches it, or takes its bytes or its compiled module.
import { CoreError, InvalidArgumentError } from '../../errors.ts';
import type { CoreCode } from './core.ts';
import type { CoreSource, FetchedCore } from './core-source.ts';

const EXPECTED = 'is not a URL, Response, BufferSource or WebAssembly.Module of core.wasm';

/** The first bytes of every WebAssembly module: `\0asm`. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** @throws CoreError when it cannot be fetched, InvalidArgumentError when it is something else */
export async function readCore(given: CoreSource | Promise<CoreSource>): Promise<CoreCode> {
  const source: unknown = await given;
  if (typeof source === 'string') return fetchCore(source);
  if (typeof source !== 'object' || source === null) throw new InvalidArgumentError('options.core', source, EXPECTED);
  if ('href' in source) return fetchCore(String(source.href));
  return isFetched(source) ? bytesOf(source) : codeOf(source);
}

/** The same for what needs no waiting. */
export function codeOf(source: unknown): CoreCode {
  if (source instanceof ArrayBuffer) return checkMagic(new Uint8Array(source), 'options.core');
  if (ArrayBuffer.isView(source))
    return checkMagic(new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice(), 'options.core');
  if (typeof WebAssembly === 'undefined') return new Uint8Array();
  if (source instanceof WebAssembly.Module) return source;
  throw new InvalidArgumentError('options.core', source, EXPECTED);
}

function isFetched(source: object): source is FetchedCore {
  return 'arrayBuffer' in source && 'ok' in source && 'status' in source;
}

async function fetchCore(url: string): Promise<CoreCode> {
  const response = await fetch(url).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const advice = url.startsWith('file:') ? '; fetch reads no files here: read it and give its bytes' : '';
    throw new CoreError(`the core cannot be fetched from ${url}: ${reason}${advice}`);
  });
  return bytesOf(response);
}

async function bytesOf(response: FetchedCore): Promise<CoreCode> {
  if (!response.ok) throw new CoreError(`the core cannot be fetched from ${response.url}: status ${response.status}`);
  return checkMagic(new Uint8Array(await response.arrayBuffer()), response.url);
}

/** A server's page for unknown addresses is a mistake to hear of, and no reason to run without the core. */
function checkMagic(bytes: Uint8Array<ArrayBuffer>, origin: string): Uint8Array<ArrayBuffer> {
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) throw new CoreError(`${origin} is no WebAssembly module, expected core.wasm`);
  return bytes;
}
