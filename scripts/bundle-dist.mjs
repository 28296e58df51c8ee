// Before packing: one file for each entry and for what entries share, in place of one for each module, so that the package is small and the
// command line starts in half the time. Declarations stay as they are. Run from the root of the repository, after the build.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const { exports, imports, bin } = JSON.parse(readFileSync('package.json', 'utf8'));
// What brings the YAML parser along is a file of its own: a bundler leaves it out of a page that reads no text.
const apart = ['dist/src/api/documents.js', ...Object.values(imports).map(({ node }) => node)];
const entries = [...Object.values(exports).flatMap(({ default: entry }) => entry ?? []), ...Object.values(bin), ...apart];

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
  sourcemap: true,
  sourcesContent: false,
  write: false,
  logLevel: 'warning',
});

const isCode = (file) => /\.js(\.map)?$/.test(file);
for (const file of readdirSync('dist', { recursive: true })) if (isCode(file)) rmSync(join('dist', file));
for (const { path, contents } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}
