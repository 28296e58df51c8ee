// svcplane/external, svcplane/js and svcplane/wasm, and the fall back of svcplane: which engine runs, and what is said about it.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import * as external from '../src/external.ts';
import * as library from '../src/index.ts';
import * as js from '../src/js.ts';
import * as wasm from '../src/wasm.ts';

const bytes = new Uint8Array(readFileSync('dist/core.wasm'));
let server: Server;
let origin: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/core.wasm') response.writeHead(200, { 'content-type': 'application/wasm' }).end(bytes);
    else if (request.url === '/page') response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
afterEach(() => vi.unstubAllGlobals());

describe('a core that the caller brings', () => {
  test.each([
    ['a URL', () => new URL(`${origin}/core.wasm`)],
    ['the text of a URL', () => `${origin}/core.wasm`],
    ['a Response', () => fetch(`${origin}/core.wasm`)],
    ['an ArrayBuffer', () => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer],
    ['a view of bytes', () => bytes],
    ['a Module', () => WebAssembly.compile(bytes)],
  ])('runs from %s', async (_name, core) => {
    using dataplane = await external.createDataplane({ core: core(), engine: 'wasm' });
    expect(dataplane.engine).toBe('wasm');
  });

  test('runs at once from bytes and from a Module', () => {
    using fromBytes = external.createDataplaneSync({ core: bytes });
    using fromModule = external.createDataplaneSync({ core: new WebAssembly.Module(bytes) });
    expect([fromBytes.engine, fromModule.engine]).toEqual(['wasm', 'wasm']);
  });

  test('that is not there is an error, and no reason to run without it', async () => {
    await expect(external.createDataplane({ core: `${origin}/nothing` })).rejects.toThrow(/cannot be fetched from .*nothing: status 404/);
    await expect(external.createDataplane({ core: `${origin}/page` })).rejects.toThrow(
      /page is no WebAssembly module, expected core\.wasm/,
    );
    await expect(external.createDataplane({ core: 'file:///core.wasm' })).rejects.toThrow(/fetch reads no files here: read it and give/);
    await expect(external.createDataplane({ core: {} as never })).rejects.toThrow(/options\.core .* is not a URL, Response, BufferSource/);
  });
});

describe('where WebAssembly is not allowed', () => {
  test.each([
    ['absent', () => vi.stubGlobal('WebAssembly', undefined)],
    ['refused by a policy', () => vi.stubGlobal('WebAssembly', refusing())],
  ])('auto takes the TypeScript engine and says so once: %s', async (_name, forbid) => {
    forbid();
    const warnings: string[] = [];
    using dataplane = await library.createDataplane({ onWarning: (message) => warnings.push(message) });
    expect(dataplane.engine).toBe('js');
    expect(warnings).toEqual([expect.stringContaining('WebAssembly does not run here, the TypeScript engine does')]);
    await expect(library.createDataplane({ engine: 'wasm' })).rejects.toThrow(library.CoreError);
    expect(() => library.createDataplaneSync({ engine: 'wasm' })).toThrow(/the core cannot start/);
  });
});

test('svcplane/js runs on the TypeScript engine without a warning, and refuses engine wasm', async () => {
  const onWarning = vi.fn();
  using dataplane = await js.createDataplane({ onWarning });
  expect([dataplane.engine, onWarning.mock.calls]).toEqual(['js', []]);
  await expect(js.createDataplane({ engine: 'wasm' })).rejects.toThrow(/engine wasm: the entry svcplane\/js has none/);
});

test('svcplane/wasm runs on WebAssembly, refuses engine js, and says where it cannot start', async () => {
  using dataplane = await wasm.createDataplane();
  using atOnce = wasm.createDataplaneSync();
  expect([dataplane.engine, atOnce.engine]).toEqual(['wasm', 'wasm']);
  await expect(wasm.createDataplane({ engine: 'js' })).rejects.toThrow(/engine js: the entry svcplane\/wasm has none/);
  vi.stubGlobal('WebAssembly', refusing());
  await expect(wasm.createDataplane()).rejects.toThrow(library.CoreError);
  expect(() => wasm.createDataplaneSync()).toThrow(/the core cannot start/);
});

/** As a page whose Content-Security-Policy lacks 'wasm-unsafe-eval'. */
function refusing(): Partial<typeof WebAssembly> {
  const refuse = () => {
    throw new Error('Refused to compile or instantiate WebAssembly module');
  };
  return {
    Module: class {
      constructor() {
        refuse();
      }
    } as never,
    compile: async () => refuse(),
  };
}
