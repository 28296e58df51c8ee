// Before packing: one file for each entry and few for what entries share, in place of one for each module, so that the package is small and
// starts in half the time. Declarations stay as they are. Run from the root of the repository, after the build.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { decode, encode } from '@jridgewell/sourcemap-codec';
import { build } from 'esbuild';
import { rollup } from 'rollup';

/**
 * The files that entries share. Each holds what all entries of one of its groups reach; the first line that fits is taken. Few, as Node
 * takes a millisecond to find and read one, and so that no entry loads what only others need.
 */
const SHARED = {
  common: [
    ['cluster', 'dns'],
    ['cluster', 'js'],
    ['dns', 'js'],
    ['dns', 'cli/main'],
  ],
  // What brings the YAML parser along: a bundler leaves it out of a page that reads no text.
  documents: [['api/documents']],
  'ipvs-engine': [['ipvs', 'js']],
  library: [['js', 'wasm']],
  js: [['index', 'js']],
  core: [['external', 'ipvs']],
  'core-bytes': [['index', 'ipvs']],
  wasm: [['index', 'wasm']],
  ipvs: [['ipvs', 'cli/main']],
  dns: [['dns', 'cli/dns-verbs']],
  cluster: [['cluster', 'cli/main']],
};

const { exports, imports, bin } = JSON.parse(readFileSync('package.json', 'utf8'));
// Files of their own: what is imported on demand, what a bundler may leave out, and what takes another's place.
const apart = ['dist/src/cli/dns-verbs.js', 'dist/src/api/documents.js', ...Object.values(imports).map(({ node }) => node)];
const entries = [...Object.values(exports).flatMap(({ default: entry }) => entry ?? []), ...Object.values(bin), ...apart];

// esbuild makes the least of the code, but a file for every set of entries that share something; Rollup joins those.
const { outputFiles } = await build({
  entryPoints: entries,
  outbase: 'dist',
  outdir: 'dist',
  chunkNames: 'src/shared/[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  packages: 'external',
  external: Object.keys(imports),
  minifySyntax: true,
  minifyWhitespace: true,
  // Node prints the line of an error that nobody caught.
  lineLimit: 120,
  sourcemap: true,
  sourcesContent: false,
  write: false,
  logLevel: 'warning',
});
const texts = new Map(outputFiles.map(({ path, text }) => [path, text]));

const joined = await rollup({
  input: Object.fromEntries(entries.map((file) => [nameOf(file), resolve(file)])),
  external: (id) => !/^[./]/.test(id), // a package, or one of `imports`
  treeshake: { moduleSideEffects: false },
  plugins: [
    {
      name: 'output-of-esbuild',
      resolveId: (id, importer) => (importer === undefined ? id : resolve(importer, '..', id)),
      load: (id) => ({ code: texts.get(id), map: texts.get(`${id}.map`) }),
      generateBundle: (_options, files) => {
        for (const file of Object.values(files)) if (file.fileName.endsWith('.js.map')) file.source = shortMap(file.source);
      },
    },
  ],
  onwarn: ({ message }) => {
    throw new Error(message);
  },
});

const isCode = (file) => /\.js(\.map)?$/.test(file);
for (const file of readdirSync('dist', { recursive: true })) if (isCode(file)) rmSync(join('dist', file));
await joined.write({
  dir: 'dist',
  sourcemap: true,
  sourcemapExcludeSources: true,
  entryFileNames: '[name].js',
  // What no line of SHARED names is what files of the command line share.
  chunkFileNames: ({ name }) => `src/shared/${name in SHARED ? name : 'cli'}.js`,
  manualChunks: sharedBy,
  minifyInternalExports: false,
  hoistTransitiveImports: false,
});

/** A source map that knows lines of the sources and not words: that is what stack traces name, in a third of the size. */
function shortMap(text) {
  const { mappings, ...map } = JSON.parse(text);
  const beginsLine = ([, source, line], index, segments) => {
    const [, sourceBefore, lineBefore] = segments[index - 1] ?? [];
    return source !== sourceBefore || line !== lineBefore;
  };
  return JSON.stringify({ ...map, mappings: encode(decode(mappings).map((segments) => segments.filter(beginsLine))) });
}

/** The name of a file as entries have it: where it stands in dist/, without its extension. */
function nameOf(file) {
  return relative('dist', file).replace(/\.js$/, '');
}

/** The shared file that a chunk of esbuild belongs into. */
function sharedBy(id, { getModuleInfo }) {
  const reachedFrom = new Set();
  const seen = new Set();
  const visit = (module) => {
    if (seen.has(module)) return;
    seen.add(module);
    reachedFrom.add(nameOf(module).replace('src/', ''));
    getModuleInfo(module).importers.forEach(visit);
  };
  if (getModuleInfo(id).isEntry) return undefined;
  visit(id);
  return Object.keys(SHARED).find((name) => SHARED[name].some((group) => group.every((entry) => reachedFrom.has(entry))));
}
