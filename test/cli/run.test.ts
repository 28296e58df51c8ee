import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryWith, svcplane } from './command.ts';

const POD = '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}';

describe('the command line', () => {
  it('tells its version and its help', async () => {
    expect(await svcplane(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    const { code, stdout } = await svcplane(['--help']);
    expect(code).toBe(0);
    for (const verb of ['trace', 'get', 'render', 'ipvs', 'validate', 'demo']) expect(stdout).toContain(`  ${verb} `);
  });

  it.each([
    ['no verb', []],
    ['an unknown verb', ['frobnicate']],
    ['an unknown option', ['get', 'svc', '--frobnicate']],
    ['a missing option', ['trace', '-f', 'examples/hostnames.yaml', '--to', 'hostnames']],
    ['an unknown mode', ['render', '-f', 'examples/hostnames.yaml', '--mode', 'ebpf']],
    ['no manifests', ['get', 'svc']],
    ['an unknown resource', ['get', 'ingresses', '-f', 'examples/hostnames.yaml']],
    ['an unknown protocol', ['trace', '-f', 'examples/hostnames.yaml', '--from', 'node', '--to', 'hostnames', '--protocol', 'icmp']],
    ['an address without port', ['trace', '-f', 'examples/hostnames.yaml', '--from', 'node', '--to', '10.0.0.1']],
    ['a manifest on the web', ['get', 'svc', '-f', 'https://example.com/a.yaml']],
  ])('%s is a usage error, said on stderr alone', async (_what, argv) => {
    const { code, stdout, stderr } = await svcplane(argv);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
    expect(stderr).not.toContain('    at ');
  });

  it.each([
    ['a missing file', ['get', 'svc', '-f', 'nope.yaml'], 'error: nope.yaml: no such file\n'],
    [
      'an unknown node',
      ['render', '-f', 'examples/hostnames.yaml', '--node', 'x'],
      'error: node x does not exist; there are node-1, node-2, node-3\n',
    ],
    [
      'an unknown object',
      ['get', 'svc', 'hostname', '-f', 'examples/hostnames.yaml'],
      'error: svc hostname does not exist; did you mean hostnames?\n',
    ],
    ['a missing configuration', ['render', '-f', 'examples/hostnames.yaml', '--config', 'nope'], 'error: nope: no such file\n'],
  ])('%s is bad input', async (_what, argv, message) => {
    expect(await svcplane(argv)).toEqual({ code: 3, stdout: '', stderr: message });
  });

  it('a YAML error names file, line and column', async () => {
    const { code, stderr } = await svcplane(['get', 'svc', '-f', '-'], { stdin: 'apiVersion: v1\nkind: [\n' });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: <stdin>:\d+:\d+: /);
  });

  it('an invalid object names file, line, column and field', async () => {
    const { code, stderr } = await svcplane(['get', 'svc', '-f', '-'], {
      stdin: 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n    - port: 70000\n',
    });
    expect(code).toBe(3);
    expect(stderr).toBe('error: <stdin>:6:13: service default/web: spec.ports[0].port 70000 is outside 1-65535\n');
  });

  it('reads directories, further down only with -R, and several -f', async () => {
    const directory = directoryWith({ 'a.yaml': POD, 'notes.txt': 'no manifest' });
    mkdirSync(join(directory, 'below'));
    writeFileSync(
      join(directory, 'below', 'b.json'),
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'q' }, spec: { containers: [{ name: 'c' }] } }),
    );
    const names = async (...argv: string[]) => (await svcplane(['get', 'pods', '-o', 'name', ...argv])).stdout.split('\n').slice(0, -1);
    expect(await names('-f', directory)).toEqual(['pod/p']);
    expect(await names('-f', directory, '-R')).toEqual(['pod/p', 'pod/q']);
    expect(await names('-f', join(directory, 'a.yaml'), '-f', join(directory, 'below'))).toEqual(['pod/p', 'pod/q']);
    expect(await svcplane(['get', 'pods', '-f', directoryWith({})])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no .yaml, .yml, .json files'),
    });
  });
});
