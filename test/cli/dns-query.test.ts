// `svcplane dns query` and `svcplane dns explain`.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { svcplane } from './command.ts';
import { serveDnsOf } from './served-dns.ts';

const run = promisify(execFile);
const FILE = ['-f', 'examples/hostnames.yaml'];
const NAME = 'hostnames.default.svc.cluster.local';

const hasDig = await run('dig', ['-v']).then(
  () => true,
  () => false,
);

describe('svcplane dns query', () => {
  test('prints the answer, and ends with 1 when there is none', async () => {
    const { code, stdout } = await svcplane(['dns', 'query', ...FILE, NAME]);
    expect(stdout).toMatch(/^hostnames\.default\.svc\.cluster\.local\. 30\tIN A\t10\.\d+\.\d+\.\d+\n$/);
    expect(code).toBe(0);
    expect(await svcplane(['dns', 'query', ...FILE, `gone.${NAME}`, 'SRV'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/NXDOMAIN: the Service has no ready endpoint of that name/),
    });
  });

  test('completes the name as the Pod that asks would', async () => {
    const { stdout } = await svcplane(['dns', 'query', ...FILE, 'hostnames', '--from', 'default/client']);
    expect(stdout).toContain(`${NAME}. 30\tIN A\t`);
    const { stderr } = await svcplane(['dns', 'query', ...FILE, 'hostnames']);
    expect(stderr).toContain('names are taken as complete, as by dig');
  });

  test('finds the name of an address', async () => {
    const { stdout } = await svcplane(['dns', 'query', ...FILE, '10.244.1.2']);
    expect(stdout).toBe('2.1.244.10.in-addr.arpa. 30\tIN\tPTR\t10-244-1-2.hostnames.default.svc.cluster.local.\n');
  });

  test('prints JSON', async () => {
    const { stdout } = await svcplane(['dns', 'query', ...FILE, NAME, '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'DnsResolution', outcome: 'ANSWER', answer: [{ type: 'A', ttl: 30 }] });
  });

  test('says which Pod it does not know, and which type is none', async () => {
    expect(await svcplane(['dns', 'query', ...FILE, NAME, '--from', 'hostname'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('pod default/hostname does not exist; did you mean default/hostnames-'),
    });
    expect(await svcplane(['dns', 'query', ...FILE, NAME, 'AA'])).toMatchObject({
      code: 2,
      stderr: 'error: type "AA" is not a record type\n',
    });
  });

  test.skipIf(!hasDig).each([
    [NAME, 'A'],
    ['dns-version.cluster.local', 'TXT'],
    ['2.1.244.10.in-addr.arpa', 'PTR'],
    [NAME, 'SRV'],
  ])(`prints %s %s as dig does${hasDig ? '' : ' (dig is not installed here: bind9-dnsutils)'}`, async (name, type) => {
    const server = await serveDnsOf(FILE);
    const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(server.port), '+noall', '+answer', name, type]);
    await server.stop();
    const own = await svcplane(['dns', 'query', ...FILE, name, type]);

    expect(own.stdout).toBe(stdout);
  });
});

describe('svcplane dns explain', () => {
  const explain = async (name: string, ...more: string[]) =>
    (await svcplane(['dns', 'explain', ...FILE, name, '--from', 'default/client', ...more])).stdout;

  test('shows the search list, ndots and what each query meets', async () => {
    const text = await explain('hostnames.default');
    expect(text).toContain('search default.svc.cluster.local svc.cluster.local cluster.local\n  options ndots:5\n');
    expect(text).toMatch(
      /1 +hostnames\.default\.default\.svc\.cluster\.local\. +A, AAAA +NXDOMAIN +there is no such Service in that namespace\n/,
    );
    expect(text).toMatch(/2 +hostnames\.default\.svc\.cluster\.local\. +A +ANSWER +10\.\d/);
    expect(text).toContain(`${NAME}. is what it finds, after 4 queries.`);
    expect(text).toContain(`Written as ${NAME}., with the dot at its end, it would save 2 queries each time.`);
  });

  test('counts what names from outside cost without a dot', async () => {
    const text = await explain('www.example.com');
    expect(text).toContain('after 8 queries');
    expect(text).toContain('With a trailing dot, www.example.com., it would save 6 queries each time.');
  });

  test('has nothing to save for a short name, and one that ends in a dot', async () => {
    expect(await explain('hostnames')).toContain('A trailing dot would save nothing');
    expect(await explain(`${NAME}.`)).toContain('ends in a dot: asked as it is');
  });

  test('names Services that may be meant', async () => {
    expect(await explain('hostname')).toContain('Services of nearly that name: hostnames.default.');
  });

  test('prints JSON', async () => {
    expect(JSON.parse(await explain('hostnames', '--type', 'A', '-o', 'json'))).toMatchObject({
      kind: 'DnsExplanation',
      queryCount: 1,
      found: `${NAME}.`,
      resolvConf: { ndots: 5 },
      trailingDot: { saves: 0 },
    });
  });
});
