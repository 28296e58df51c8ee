// The variants: who is measured.

/**
 * `wasm` and `js`: the library's engines through createBatch and processBatch; `wasm-single`: one packet a call. `twin`: typed arrays in
 * TypeScript, made for the benchmark; `twin-staged`: with the core's stages. `map`: idiomatic TypeScript. `native`: C, without and with prefetch.
 */
export type VariantName = 'wasm' | 'wasm-single' | 'js' | 'twin' | 'twin-staged' | 'map' | 'native' | 'native-prefetch';

/** Those that run everywhere and every workload of packet records. */
export const VARIANTS: readonly VariantName[] = ['wasm', 'wasm-single', 'js', 'twin', 'twin-staged', 'map'];

/** Those that count the rules that a packet meets. */
export const ENGINES: ReadonlySet<VariantName> = new Set(['wasm', 'wasm-single', 'js']);

/** Where gcc is; IPv4 and IPv6 established, frames, and of new connections what NativeBeginnings knows. */
export const NATIVE = ['native', 'native-prefetch'] as const;

export function isNative(variant: VariantName): boolean {
  return NATIVE.some((one) => one === variant);
}
