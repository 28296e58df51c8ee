// `#yaml` where Node runs the package as it is: loads the library, which takes longer than all of the package, when the first text is parsed
// or written. Bundlers and browsers take the library itself (package.json, imports).
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

let loaded: typeof Yaml | undefined;

function yaml(): typeof Yaml {
  loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml;
  return loaded;
}

export const parseAllDocuments: typeof Yaml.parseAllDocuments = (...given) => yaml().parseAllDocuments(...given);
export const stringify = (value: unknown, options: Yaml.CreateNodeOptions): string => yaml().stringify(value, options);
export const isAlias = (node: unknown): node is Yaml.Alias => yaml().isAlias(node);
export const isMap = (node: unknown): node is Yaml.YAMLMap => yaml().isMap(node);
export const isNode = (node: unknown): node is Yaml.Node => yaml().isNode(node);
export const isScalar = (node: unknown): node is Yaml.Scalar => yaml().isScalar(node);
export const isSeq = (node: unknown): node is Yaml.YAMLSeq => yaml().isSeq(node);
