// What the registry would get: types for strict consumers, the opinion of publint and attw, and the sizes that package.json promises.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { expect, inject, test } from 'vitest';

const project = inject('project');
const tarball = inject('tarball');
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  sizeLimits: { tarball: number; bundleGzip: Record<string, number> };
};

test.each([
  ['node16', 'node16'],
  ['esnext', 'bundler'],
])('a strict consumer compiles with module %s and resolution %s, checking all declarations', (module, moduleResolution) => {
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const config = join(project, `tsconfig.${moduleResolution}.json`);
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ ...JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')), type: 'module' }),
  );
  writeFileSync(config, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  expect(run('tsc', ['-p', config])).toEqual({ isFine: true, output: '' });
});

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: '.', strict: true });
  const pkg = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>;
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test('attw finds the types of every entry', () => {
  const { isFine, output } = run('attw', [
    tarball,
    '--profile',
    'esm-only',
    '--exclude-entrypoints',
    './core.wasm',
    '--no-color',
    '--no-emoji',
  ]);
  expect(isFine, output).toBe(true);
});

test('the tarball is as small as promised', () => {
  expect(statSync(tarball).size).toBeLessThanOrEqual(manifest.sizeLimits.tarball);
});

test.each(Object.entries(manifest.sizeLimits.bundleGzip))(
  'a minified bundle of "%s" without YAML is as small as promised',
  async (contents, limit) => {
    const { outputFiles } = await bundle(contents, ['#yaml']);
    const size = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
    console.log(`${contents}: ${size} bytes gzipped, limit ${limit}`);
    expect(size).toBeLessThanOrEqual(limit);
  },
);

test.each([
  "export { createDataplane } from 'svcplane'",
  "export { createCluster } from 'svcplane/cluster'",
  "export { createClusterDns } from 'svcplane/dns'",
])('a bundle of "%s" carries no YAML parser, as it reads no text', async (contents) => {
  const { metafile } = await bundle(contents);
  expect(Object.keys(metafile.inputs).some((file) => file.includes('/svcplane/'))).toBe(true);
  const carried = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  expect(carried.filter((file) => file.includes('/yaml/'))).toEqual([]);
});

function bundle(contents: string, external: readonly string[] = []) {
  return build({
    stdin: { contents, resolveDir: project },
    bundle: true,
    minify: true,
    format: 'esm',
    external: [...external],
    write: false,
    metafile: true,
    logLevel: 'error',
  });
}

/** Runs a program of this repository in the project: whether it was content, and what it printed. */
function run(program: string, args: readonly string[]): { readonly isFine: boolean; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(resolve('node_modules/.bin', program), args, { cwd: project, encoding: 'utf8' });
  return { isFine: status === 0, output: stdout + stderr };
}
