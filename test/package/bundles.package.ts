// The installed package in bundles and pages: every bundler without configuration, in Chromium where there is one and in Node always.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { chromiumPath, launchChromium, NO_CHROMIUM } from '../browser/chromium.ts';
import { serveFolder } from '../browser/static-server.ts';
import { bundlers } from './bundlers.ts';

const project = inject('project');
/** The id, the flags QR AA RD, one answer, and its address. */
const answered = { id: 0x1234, flags: 0x8500, answers: 1, address: '10.96.0.20', hasBuffer: false };
const sent = { engine: 'wasm', action: 'DNAT', backend: '10.244.2.5:8080', idle: 'REJECT', warnings: [] };

/** What the bundle in a folder comes to in Node, after these lines. */
function run(where: string, ...first: string[]): unknown {
  writeFileSync(join(where, 'package.json'), '{ "type": "module" }');
  const lines = [
    ...first,
    "await import('./page.js');",
    'while (globalThis.sent === undefined) await new Promise((resolve) => setTimeout(resolve));',
    'process.stdout.write(JSON.stringify(globalThis.sent));',
  ];
  writeFileSync(join(where, 'run.mjs'), lines.join('\n'));
  return JSON.parse(execFileSync(process.execPath, ['run.mjs'], { cwd: where, encoding: 'utf8' }));
}

describe.each(Object.keys(bundlers))('a bundle by %s', (name) => {
  const folder = join(project, '..', 'bundles', name);

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    await bundlers[name]?.(project, folder, 'page.js');
    await bundlers[name]?.(project, join(folder, 'dns'), 'dns-page.js');
    for (const each of [folder, join(folder, 'dns')]) cpSync(join(project, 'index.html'), join(each, 'index.html'));
  });

  test('sends a packet in Node', () => {
    expect(run(folder)).toEqual(sent);
  });

  test('answers a DNS message where there is no Buffer', () => {
    expect(run(join(folder, 'dns'), 'delete globalThis.Buffer;')).toEqual(answered);
  });
});

test('a bundle by esbuild for Node needs nothing beside it', async () => {
  const folder = join(project, '..', 'bundles', 'node');
  const outfile = join(folder, 'page.cjs');
  await build({ entryPoints: [join(project, 'page.js')], bundle: true, platform: 'node', outfile, logLevel: 'error' });
  writeFileSync(join(folder, 'page.js'), "import './page.cjs';");
  expect(run(folder)).toEqual(sent);
});

describe.skipIf(chromiumPath === undefined)(`in Chromium${chromiumPath === undefined ? ` (${NO_CHROMIUM})` : ''}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** What the page at this address came to. */
  async function open(address: string): Promise<unknown> {
    const page = await browser.newPage();
    try {
      await page.goto(address);
      await page.waitForFunction('globalThis.sent !== undefined', undefined, { timeout: 30_000 });
      return await page.evaluate('globalThis.sent');
    } finally {
      await page.close();
    }
  }

  /** The page bundled by esbuild, behind this Content-Security-Policy. */
  async function openWithPolicy(policy: string): Promise<unknown> {
    const server = await serveFolder(join(project, '..', 'bundles', 'esbuild'), { 'content-security-policy': policy });
    try {
      return await open(`${server.origin}/`);
    } finally {
      await server.close();
    }
  }

  test.each(Object.keys(bundlers))('the bundle by %s sends a packet', async (name) => {
    const server = await serveFolder(join(project, '..', 'bundles', name));
    try {
      expect(await open(`${server.origin}/`)).toEqual(sent);
    } finally {
      await server.close();
    }
  });

  test('the bundle by esbuild answers a DNS message', async () => {
    const server = await serveFolder(join(project, '..', 'bundles', 'esbuild', 'dns'));
    try {
      expect(await open(`${server.origin}/`)).toEqual(answered);
    } finally {
      await server.close();
    }
  });

  test("vite's development server sends a packet", async () => {
    const server = await createServer({
      root: project,
      configFile: false,
      logLevel: 'error',
      server: { port: 0, host: '127.0.0.1', watch: null, hmr: false, ws: false },
    });
    try {
      await server.listen();
      expect(await open(server.resolvedUrls?.local[0] ?? '')).toEqual(sent);
    } finally {
      await server.close();
    }
  });

  test("a policy with 'wasm-unsafe-eval' is enough for WebAssembly", async () => {
    expect(await openWithPolicy("default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'")).toEqual(sent);
  });

  test('a policy that forbids WebAssembly gets the TypeScript engine, which is said once', async () => {
    expect(await openWithPolicy("default-src 'none'; img-src data:; script-src 'self'")).toEqual({
      ...sent,
      engine: 'js',
      warnings: [expect.stringContaining('WebAssembly does not run here, the TypeScript engine does')],
    });
  });
});
