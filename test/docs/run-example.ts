// Runs an example as its reader would: with the package's entries, and with what the words around it take for granted.
import { readFileSync } from 'node:fs';
import * as cluster from '../../src/cluster.ts';
import * as dns from '../../src/dns.ts';
import * as external from '../../src/external.ts';
import * as library from '../../src/index.ts';
import * as ipvs from '../../src/ipvs.ts';
import * as js from '../../src/js.ts';
import * as wasm from '../../src/wasm.ts';

const entries: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  svcplane: library,
  'svcplane/cluster': cluster,
  'svcplane/dns': dns,
  'svcplane/external': external,
  'svcplane/ipvs': ipvs,
  'svcplane/js': js,
  'svcplane/wasm': wasm,
};

type Example = (...values: readonly unknown[]) => Promise<void>;
const AsyncFunction = (async () => {}).constructor as new (...names: readonly string[]) => Example;

/** Examples are JavaScript that TypeScript takes as well: a file of either kind runs them. @throws whatever the example throws; `own`: names that are in sight besides those of all entries. */
export async function runExample(code: string, own: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const scope: Readonly<Record<string, unknown>> = {
    ...dns,
    ...cluster,
    ...ipvs,
    ...library,
    ...own,
    load: (entry: string) => entries[entry],
    console: { log: () => {}, assert: (isTrue: boolean, words: string) => isTrue || fail(words) },
  };
  const plain = code
    .replace(/^import \{ (.*?) \} from '(.*?)';$/gm, "const { $1 } = load('$2');")
    .replace("new URL('svcplane/core.wasm', import.meta.url)", 'coreBytes');
  const run = new AsyncFunction('coreBytes', ...Object.keys(scope), `{ ${plain}\n}`);
  await run(readFileSync('dist/core.wasm'), ...Object.values(scope));
}

function fail(words: string): never {
  throw new Error(words);
}
