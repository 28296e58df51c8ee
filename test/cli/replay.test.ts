import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCapture, writeCapture } from '../../src/frames/capture.ts';
import { capture, tcpConnection } from '../frames/sample-capture.ts';
import { directoryWith, svcplane } from './command.ts';

const HOSTNAMES = ['examples/hostnames.pcap', '-f', 'examples/hostnames.yaml', '--seed', '1'];

const EMPTY = `
{apiVersion: v1, kind: Service, metadata: {name: empty}, spec: {clusterIP: 10.96.0.77, selector: {app: none}, ports: [{port: 80}]}}
`;

describe('svcplane replay', () => {
  it('writes what leaves, and sums up what happened for each Service and backend', async () => {
    const file = join(directoryWith({}), 'out.pcap');
    const { code, stdout, stderr } = await svcplane(['replay', ...HOSTNAMES, '-o', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^52 frames in 0\.255 s: 51 passed, 1 dropped, 0 rejected; 7 connections tracked at the end; written to /);
    expect(stdout).toMatch(/\ndefault\/hostnames \(TCP\) +6 +30 +1662 +18 +2520 +0 +0\n {2}10\.244\.\d\.2:9376 +\d/);
    expect(stdout).toMatch(
      /\n1 +ICMP errors about tracked connections, translated\n1 +no IP\n1 +IP fragments, which are not reassembled\n/,
    );
    const before = [...readCapture(readFileSync('examples/hostnames.pcap'))];
    const after = [...readCapture(readFileSync(file))];
    expect(after.map(({ nanoseconds }) => nanoseconds)).toEqual(before.slice(0, -1).map(({ nanoseconds }) => nanoseconds));
    // what the client sends goes to a backend, what it got comes from the Service again
    expect(after[1]?.bytes.subarray(30, 34)).not.toEqual(before[1]?.bytes.subarray(30, 34));
    expect(after[2]?.bytes).toEqual(before[2]?.bytes);
  });

  it('prints JSON for programs, and writes pcapng by its name', async () => {
    const file = join(directoryWith({}), 'out.pcapng');
    const { stdout } = await svcplane(['replay', ...HOSTNAMES, '-o', 'json', '--write', file, '--conntrack', '--engine', 'js']);
    const replayed = JSON.parse(stdout);
    expect(replayed).toMatchObject({ apiVersion: 'svcplane/v1', kind: 'Replay', frames: 52, written: { file, frames: 51 } });
    expect(replayed.servicePorts).toMatchObject([{ servicePort: 'default/hostnames', protocol: 'TCP', connections: 6 }]);
    expect(replayed.items).toHaveLength(7);
    expect([...readCapture(readFileSync(file))]).toHaveLength(51);
  });

  it('counts what is rejected, and shows it', async () => {
    const syn = tcpConnection('10.244.1.9', 40_000, '10.96.0.77', 80).slice(0, 1);
    const directory = directoryWith({ 'empty.yaml': EMPTY });
    const file = join(directory, 'in.pcap');
    writeFileSync(file, writeCapture(capture(syn)));
    const { stdout } = await svcplane(['replay', file, '-f', join(directory, 'empty.yaml')]);
    expect(stdout).toContain('0 passed, 0 dropped, 1 rejected; 0 connections');
    expect(stdout).toMatch(/default\/empty \(TCP\) +0 +0 +0 +0 +0 +0 +1\n/);
  });

  it('reads a capture from a pipe, and writes one into another with the summary beside it', async () => {
    const stdin = readFileSync('examples/hostnames.pcap');
    const [, ...options] = HOSTNAMES;
    const file = join(directoryWith({}), 'out.pcap');
    const { stdout: summary } = await svcplane(['replay', ...HOSTNAMES, '-w', file]);
    for (const flag of ['-w', '-o']) {
      const { code, stdout, stderr } = await svcplane(['replay', '-', ...options, flag, '-'], { stdin });
      expect(code).toBe(0);
      expect(Buffer.from(stdout, 'latin1')).toEqual(readFileSync(file));
      expect(stderr).toBe(summary.replace(file, 'standard output'));
    }
    const { stderr } = await svcplane(['replay', '-', ...options, '-o', 'json', '-w', '-', '--conntrack'], { stdin });
    expect(JSON.parse(stderr)).toMatchObject({ capture: '-', written: { file: '-', frames: 51 } });
    const { stdout } = await svcplane(['conntrack', '-', ...options], { stdin });
    expect(stdout.trimEnd().split('\n')).toHaveLength(7);
    expect(await svcplane(['replay', '-', ...options], { stdin: 'apiVersion: v1\n' })).toMatchObject({
      code: 3,
      stderr: 'error: <stdin>: byte 0: is neither pcap nor pcapng (it begins with 0x61706956)\n',
    });
  });

  it.each([
    [['replay', 'nope.pcap', '-f', 'examples/hostnames.yaml'], 3, 'error: nope.pcap: no such file\n'],
    [
      ['replay', 'README.md', '-f', 'examples/hostnames.yaml'],
      3,
      'error: README.md: byte 0: is neither pcap nor pcapng (it begins with 0x23207376)\n',
    ],
    [['replay', ...HOSTNAMES, '-o', 'out.txt'], 2, 'error: -o out.txt is none of text, json, -, or a name that ends in .pcap or .pcapng\n'],
    [['replay', 'examples/hostnames.pcap'], 2, 'error: no manifests given: use -f FILE, -f DIRECTORY or -f - for standard input\n'],
  ])('%j ends with code %i and says why', async (argv, code, stderr) => {
    expect(await svcplane(argv)).toEqual({ code, stdout: '', stderr });
  });
});

describe('svcplane conntrack', () => {
  it('prints what is tracked after the capture as conntrack -L does', async () => {
    const { stdout, stderr } = await svcplane(['conntrack', ...HOSTNAMES]);
    const lines = stdout.trimEnd().split('\n').toSorted();
    expect(lines).toHaveLength(7);
    expect(lines[0]).toMatch(
      /^tcp {6}6 119 TIME_WAIT src=10\.244\.1\.250 dst=10\.102\.169\.4 sport=40000 dport=80 packets=5 src=10\.244\.\d\.2 dst=10\.244\.1\.250 sport=9376 dport=40000 packets=3 \[ASSURED\] mark=0 use=1$/,
    );
    expect(lines[6]).toBe(
      'udp      17 29 src=10.244.1.250 dst=10.244.2.99 sport=5353 dport=53 packets=1 [UNREPLIED] src=10.244.2.99 dst=10.244.1.250 sport=53 dport=5353 packets=0 mark=0 use=1',
    );
    expect(stderr).toBe('7 flow entries have been shown.\n');
  });
});
