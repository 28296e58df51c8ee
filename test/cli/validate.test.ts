import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryWith, svcplane } from './command.ts';

const BAD = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: 70000
      protocol: ICMP
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template: {}
`;

describe('svcplane validate', () => {
  it('counts the objects when all are valid', async () => {
    expect(await svcplane(['validate', '-f', 'examples/hostnames.yaml'])).toEqual({ code: 0, stdout: '2 objects valid\n', stderr: '' });
  });

  it('prints every problem of every object with its place, and exits 3', async () => {
    const { code, stdout, stderr } = await svcplane(['validate', '-f', '-'], { stdin: BAD });
    expect(code).toBe(3);
    expect(stdout.split('\n')).toEqual([
      '<stdin>:7:13: service default/web: spec.ports[0].port 70000 is outside 1-65535',
      '<stdin>:8:17: service default/web: spec.ports[0].protocol "ICMP" is unknown, expected TCP, UDP, SCTP',
      expect.stringMatching(/^<stdin>:15:3: deployment default\/web: spec\.selector is missing/),
      expect.stringMatching(/^<stdin>:15:1\d: deployment default\/web: spec\.template\.spec\.containers is missing/),
      '',
    ]);
    expect(stderr).toBe('error: 4 problems in 2 objects\n');
  });

  it('goes on after a file that is no manifest', async () => {
    const directory = directoryWith({ 'a.yaml': 'kind: [', 'b.yaml': BAD });
    const { code, stdout } = await svcplane(['validate', '-f', directory]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/a\.yaml:\d+:\d+: /);
    expect(stdout).toContain('b.yaml:7:13: service default/web');
  });

  it('goes by line', async () => {
    const wrong = BAD.replace('spec:\n  ports:', 'spec:\n  type: Nope\n  ports:').replace(
      'protocol: ICMP',
      'protocol: ICMP\n  sessionAffinity: No',
    );
    const { stdout } = await svcplane(['validate', '-f', '-'], { stdin: wrong });
    const lines = [...stdout.matchAll(/^<stdin>:(\d+)/gm)].map(([, line]) => Number(line));
    expect(lines.length).toBeGreaterThan(4);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });

  it('reads UTF-16, as PowerShell writes it, and refuses what is no text', async () => {
    const directory = directoryWith({});
    const file = join(directory, 'dump.yaml');
    const text = `\ufeff${readFileSync('examples/hostnames.yaml', 'utf8')}`;
    writeFileSync(file, Buffer.from(text, 'utf16le'));
    expect(await svcplane(['validate', '-f', file])).toMatchObject({ code: 0, stdout: '2 objects valid\n' });
    writeFileSync(file, Buffer.from(text, 'utf16le').swap16());
    expect(await svcplane(['validate', '-f', file])).toMatchObject({ code: 0, stdout: '2 objects valid\n' });
    const capture = await svcplane(['validate', '-f', 'examples/hostnames.pcap']);
    expect(capture).toEqual({ code: 3, stdout: '', stderr: 'error: examples/hostnames.pcap: is binary, expected text\n' });
  });

  it('sees what only shows between objects', async () => {
    const service = (name: string) =>
      `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {clusterIP: 10.96.0.20, ports: [{port: 80}]}}`;
    const { stdout } = await svcplane(['validate', '-f', '-'], { stdin: `${service('a')}\n---\n${service('b')}` });
    expect(stdout).toContain('service default/b: spec.clusterIP "10.96.0.20": failed to allocate IP 10.96.0.20');
  });

  it('prints JSON with apiVersion and kind', async () => {
    const { stdout, code } = await svcplane(['validate', '-o', 'json', '-f', '-'], { stdin: BAD });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      apiVersion: 'svcplane/v1',
      kind: 'ValidationResult',
      valid: false,
      objects: 2,
      problems: [{ path: 'spec.ports[0].port', value: 70000, location: { origin: '<stdin>', line: 7, column: 13 } }, {}, {}, {}],
    });
  });
});
