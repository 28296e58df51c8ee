// The installed package in Node: each way to load it sends one packet.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';

const project = inject('project');
const sent = { engine: 'wasm', action: 'DNAT', backend: '10.244.2.5:8080', idle: 'REJECT', warnings: [] };

function run(file: string): unknown {
  const output = execFileSync(process.execPath, ['--no-warnings', file], { cwd: project, encoding: 'utf8' });
  return JSON.parse(output) as unknown;
}

test.each(['esm.mjs', 'required.cjs', 'worker.mjs', 'external.mjs', 'wasm.mjs'])('%s sends a packet through WebAssembly', (file) => {
  expect(run(file)).toEqual(sent);
});

test('js.mjs sends a packet through TypeScript, without a warning', () => {
  expect(run('js.mjs')).toEqual({ ...sent, engine: 'js' });
});

test('svcplane/cluster, svcplane/dns and svcplane/ipvs load and work', () => {
  expect(run('entries.mjs')).toEqual({ action: 'FORWARD', nodes: 2, outcome: 'string' });
});

test('the lines of the README, saved as app.mjs, run as they stand', () => {
  const [, lines = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  writeFileSync(join(project, 'app.mjs'), lines);
  const output = execFileSync(process.execPath, ['app.mjs'], { cwd: project, encoding: 'utf8' });
  expect(output).toContain("action: 'DNAT'");
  expect(output.match(/port: 8080 \} 0\.33/g)).toHaveLength(3);
});

test('source maps name the file and line of an error', () => {
  const misuse =
    "import { createDataplaneSync } from 'svcplane'; try { createDataplaneSync({ mode: 'x' }); } catch (error) { console.log(error.stack); }";
  const options = ['--enable-source-maps', '--input-type=module', '-e', misuse];
  const stack = execFileSync(process.execPath, options, { cwd: project, encoding: 'utf8' });
  expect(stack).toMatch(/at settleConfig \(.*src\/api\/settings\.ts:\d+:\d+\)/);
});

test('npx svcplane says its version', () => {
  const version = execFileSync('npx', ['--no-install', 'svcplane', '--version'], { cwd: project, encoding: 'utf8' });
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
});
