// What each entry of the package reaches at run time, read from what is built: the promises of the README about weight and platforms.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>;
};
const entries = Object.entries(exports).flatMap(([name, target]) => (typeof target === 'string' ? [] : [{ name, target }]));

/** All modules that a file reaches: those of this package by path, others by name. */
function reach(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier));
      else packages.add(specifier);
    }
  };
  visit(entry);
  return { files, packages };
}

function importsOf(file: string): string[] {
  return ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName);
}

describe.each(entries)('the entry $name', ({ target }) => {
  const { files, packages } = reach(join(target.default));

  test('offers types first, then one module for import and require', () => {
    expect(Object.keys(target)).toEqual(['types', 'default']);
    expect(target.types).toBe(target.default.replace(/\.js$/, '.d.ts'));
  });

  test('reaches nothing of Node and nothing of the command line', () => {
    expect([...packages].filter((name) => name.startsWith('node:') || name === 'commander')).toEqual([]);
    expect([...files].filter((file) => file.startsWith('dist/src/cli/'))).toEqual([]);
  });

  test('has no top-level await, so that require() takes it', () => {
    const awaiting = [...files].filter((file) => {
      const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
      return source.statements.some(awaits);
    });
    expect(awaiting).toEqual([]);
  });
});

function awaits(node: ts.Node): boolean {
  if (ts.isFunctionLike(node)) return false;
  return ts.isAwaitExpression(node) || (ts.forEachChild(node, awaits) ?? false);
}

test('the library depends on what the design names, and dns-packet belongs to svcplane/dns alone', () => {
  const packagesOf = (name: string) => [...reach(`dist/src/${name}.js`).packages].sort();
  for (const name of ['index', 'wasm', 'external', 'js']) expect(packagesOf(name)).toEqual(['#yaml']);
  expect(packagesOf('cluster')).toEqual([]);
  expect(packagesOf('dns')).toContain('dns-packet');
});

test('what is built imports nothing that is not built', () => {
  const files = readdirSync('dist/src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => importsOf(join('dist/src', file)).some((specifier) => specifier.endsWith('.ts')))).toEqual([]);
});

test('Node takes a file for the YAML parser that loads it when a text is parsed', () => {
  expect([...reach('dist/src/api/yaml-in-node.js').packages]).toEqual(['node:module']);
});

test('svcplane/js reaches no WebAssembly, svcplane/wasm no TypeScript engine, and svcplane/external carries no core', () => {
  expect([...reach('dist/src/js.js').files].filter((file) => file.includes('/wasm/'))).toEqual([]);
  expect([...reach('dist/src/wasm.js').files].filter((file) => file.includes('/engine/js/'))).toEqual([]);
  expect([...reach('dist/src/external.js').files].filter((file) => file.includes('core-bytes'))).toEqual([]);
});
