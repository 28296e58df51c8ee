// Where a core may come from besides the package itself, in types that ask for no DOM.

/** WebAssembly.Module, where the compiler knows it. */
export type CompiledCore = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } } ? Module : never;

/** What fetch resolves to. */
export interface FetchedCore {
  readonly ok: boolean;
  readonly status: number;
  readonly url: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The URL of core.wasm, its Response, its bytes, or a compiled Module. */
export type CoreSource = { readonly href: string } | string | FetchedCore | ArrayBuffer | ArrayBufferView | CompiledCore;
