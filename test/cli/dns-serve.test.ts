// `svcplane dns serve`, asked by the real dig.
import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { directoryWith, svcplane } from './command.ts';
import { type ServedDns, serveDnsOf } from './served-dns.ts';

const run = promisify(execFile);

const STATEFUL_SET = `
{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: None, selector: {app: db}, ports: [{name: pg, port: 5432}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 60
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db}]}}
`;

const hasDig = await run('dig', ['-v']).then(
  () => true,
  () => false,
);

let server: ServedDns | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function dig(...args: string[]): Promise<string[]> {
  const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(server?.port), '+tries=1', ...args]);
  return stdout.split('\n').filter((line) => line !== '');
}

async function serve(manifests = STATEFUL_SET, ...options: string[]): Promise<void> {
  const directory = directoryWith({ 'db.yaml': manifests });
  server = await serveDnsOf(['-f', 'examples/hostnames.yaml', '-f', directory, ...options]);
}

describe.skipIf(!hasDig)(`dig${hasDig ? '' : ' (is not installed here: bind9-dnsutils)'}`, () => {
  test('finds a Service, and the Service of an address', async () => {
    await serve();
    const [address = ''] = await dig('+short', 'hostnames.default.svc.cluster.local');
    expect(address).toMatch(/^10\.\d+\.\d+\.\d+$/);
    expect(await dig('+short', '-x', address)).toEqual(['hostnames.default.svc.cluster.local.']);
  });

  test('finds the Pods of a StatefulSet behind its headless Service', async () => {
    await serve();
    expect(await dig('+short', 'db-7.db.default.svc.cluster.local')).toHaveLength(1);
    expect(await dig('+short', 'SRV', '_pg._tcp.db.default.svc.cluster.local', '+tcp')).toContain(
      '0 1 5432 db-59.db.default.svc.cluster.local.',
    );
  });

  test('gets the rest of a truncated answer over TCP', async () => {
    await serve();
    const cut = await dig('+noedns', '+ignore', 'db.default.svc.cluster.local');
    expect(cut.join('\n')).toMatch(/flags:[^;]* tc/);
    const whole = await dig('+noedns', 'db.default.svc.cluster.local');
    expect(whole.join('\n')).toContain('retrying in TCP mode');
    expect(whole.filter((line) => /\sA\s+10\.244\./.test(line))).toHaveLength(60);
  });

  test('transfers a zone of several messages, where that is allowed', async () => {
    await serve(STATEFUL_SET.replace('replicas: 60', 'replicas: 400'), '--transfer');
    const zone = await dig('AXFR', 'cluster.local');
    expect(zone.filter((line) => /^db-\d+\.db\.default\.svc\.cluster\.local\.\s+30\s+IN\s+A\s/.test(line))).toHaveLength(400);
    expect(zone.join('\n')).toMatch(/XFR size: \d+ records \(messages (?!1,)\d+,/);
    await server?.stop();
    await serve();
    expect((await dig('AXFR', 'cluster.local')).join('\n')).toContain('Transfer failed');
  });

  test('is told that a name does not exist, with the SOA of the zone', async () => {
    await serve();
    const lines = await dig('gone.default.svc.cluster.local');
    expect(lines.join('\n')).toContain('status: NXDOMAIN');
    expect(lines).toContainEqual(expect.stringMatching(/^cluster\.local\.\s+30\s+IN\s+SOA\s+ns\.dns\.cluster\.local\. hostmaster\./));
  });
});

describe('svcplane dns serve --watch', () => {
  const service = (name: string) =>
    `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {clusterIP: 10.96.0.20, ports: [{port: 80}]}}`;

  test.skipIf(!hasDig)('follows the files, and keeps the last good state while one is broken', async () => {
    const directory = directoryWith({ 'a.yaml': service('before') });
    const file = join(directory, 'a.yaml');
    server = await serveDnsOf(['-f', directory, '--watch']);
    expect(await dig('+short', 'before.default.svc.cluster.local')).toEqual(['10.96.0.20']);

    writeFileSync(file, service('before').slice(0, -9));
    expect(await server.said()).toMatch(/^warning: .*a\.yaml:1:\d+: .*; still answering as before\n$/);
    expect(await dig('+short', 'before.default.svc.cluster.local')).toEqual(['10.96.0.20']);

    writeFileSync(`${file}.new`, service('after'));
    renameSync(`${file}.new`, file);
    expect(await server.said()).toBe('note: the files have changed: 1 Service, 0 endpoints\n');
    expect(await dig('+short', 'before.default.svc.cluster.local')).toEqual([]);
    expect(await dig('+short', 'after.default.svc.cluster.local')).toEqual(['10.96.0.20']);
  });
});

describe('svcplane dns serve', () => {
  test('ends with 0 when it is stopped', async () => {
    const served = await serveDnsOf(['-f', 'examples/hostnames.yaml']);
    expect(await served.stop()).toBe(0);
  });

  test.each([
    [['--listen', 'nowhere'], 2, 'error: --listen nowhere: expected an IP address, with a port behind it or not\n'],
    [['--listen', '127.0.0.1:0', '--ttl', 'long'], 2, 'error: ttl NaN is not a whole number of 0-3600\n'],
    [['--listen', '192.0.2.1:0'], 3, 'error: --listen 192.0.2.1:0: is no address of this machine\n'],
    [['--listen', '127.0.0.1:53', '--upstream', '127.0.0.1'], 2, 'error: --upstream 127.0.0.1 is the server itself\n'],
  ])('says what is wrong with %j', async (argv, code, stderr) => {
    expect(await svcplane(['dns', 'serve', '-f', 'examples/hostnames.yaml', ...argv])).toEqual({ code, stdout: '', stderr });
  });

  test('says that the port is taken', async () => {
    server = await serveDnsOf(['-f', 'examples/hostnames.yaml']);
    const { code, stderr } = await svcplane(['dns', 'serve', '-f', 'examples/hostnames.yaml', '--listen', `127.0.0.1:${server.port}`]);
    expect([code, stderr]).toEqual([3, `error: --listen 127.0.0.1:${server.port}: something listens there already\n`]);
  });
});
