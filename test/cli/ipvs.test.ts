// `svcplane ipvs`: tables of ipvsadm checked, printed, and simulated.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryWith, svcplane } from './command.ts';

const TABLE = `# two services
-A -t 010.96.0.20:80 -s wrr
-a -t 10.96.0.20:80 -r 10.244.1.5:8080 -m -w 3
-a -t 10.96.0.20:80 -r 10.244.2.7:8080 -m

ipvsadm -A --udp-service 10.96.0.10:53 --scheduler mh -b mh-port,mh-fallback -p
-a -u 10.96.0.10:53 -r 10.244.1.9:53 -m -x 10 -y 5
`;
const NORMAL = `-A -t 10.96.0.20:80 -s wrr
-a -t 10.96.0.20:80 -r 10.244.1.5:8080 -m -w 3
-a -t 10.96.0.20:80 -r 10.244.2.7:8080 -m -w 1
-A -u 10.96.0.10:53 -s mh -p 300 -b mh-fallback,mh-port
-a -u 10.96.0.10:53 -r 10.244.1.9:53 -m -w 1 -x 10 -y 5
`;
const HOSTNAMES = ['-f', 'examples/hostnames.yaml'];

async function simulate(...argv: string[]) {
  const { code, stdout, stderr } = await svcplane(['ipvs', 'simulate', '-', '-o', 'json', ...argv], { stdin: TABLE });
  return { code, stderr, result: code === 0 ? JSON.parse(stdout) : undefined };
}

describe('ipvs save', () => {
  it('prints a table as ipvsadm -Sn does, and what it prints stays as it is', async () => {
    expect(await svcplane(['ipvs', 'save', '-'], { stdin: TABLE })).toEqual({ code: 0, stdout: NORMAL, stderr: '' });
    expect(await svcplane(['ipvs', 'save', '-'], { stdin: NORMAL })).toEqual({ code: 0, stdout: NORMAL, stderr: '' });
  });

  it('prints the virtual services that kube-proxy makes of manifests', async () => {
    const { code, stdout } = await svcplane(['ipvs', 'save', ...HOSTNAMES]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^-A -t \S+:80 -s rr\n(-a -t \S+:80 -r \S+:9376 -m -w 1\n){3}$/);
  });
});

describe('ipvs restore', () => {
  it('shows a good table as ipvsadm -Ln does, the newest server first', async () => {
    const { code, stdout } = await svcplane(['ipvs', 'restore', '-'], { stdin: TABLE });
    expect(code).toBe(0);
    expect(stdout).toContain(`TCP  10.96.0.20:80 wrr
  -> 10.244.2.7:8080              Masq    1      0          0
  -> 10.244.1.5:8080              Masq    3      0          0
UDP  10.96.0.10:53 mh (mh-fallback,mh-port) persistent 300
`);
  });

  it('shows netmask, flags and one-packet scheduling in the words of ipvsadm -Ln', async () => {
    const stdin =
      '-A -u 10.0.0.1:53 -s sh -b sh-port -p 60 -M 255.255.255.0 -o\n-A -t [fd00::1]:80 -p -M 64\n-A -f 7 -6 -s rr -p 5 -M 128\n';
    const { stdout } = await svcplane(['ipvs', 'restore', '-'], { stdin });
    expect(stdout.split('\n').slice(2, -1)).toEqual([
      'UDP  10.0.0.1:53 sh (sh-port) persistent 60 mask 255.255.255.0 ops',
      'TCP  [fd00::1]:80 wlc persistent 300 mask 64',
      'FWM  7 IPv6 rr persistent 5',
    ]);
    const { services } = JSON.parse((await svcplane(['ipvs', 'restore', '-', '-o', 'json'], { stdin })).stdout);
    expect(services.map((service: object) => 'persistenceNetmask' in service && service.persistenceNetmask)).toEqual([
      '255.255.255.0',
      '64',
      false,
    ]);
    const saved = await svcplane(['ipvs', 'save', '-'], { stdin });
    expect(saved.stdout).toContain('-A -u 10.0.0.1:53 -s sh -p 60 -M 255.255.255.0 -o -b sh-port\n');
  });

  it('names every line that is wrong with its option, and not what follows from it', async () => {
    const file = join(
      directoryWith({
        'table.txt': [
          '-A -t 10.0.0.1:80 -s fastest',
          '-a -t 10.0.0.1:80 -r 10.1.1.1 -m',
          '-A -u 10.0.0.2:53 -s rr',
          '-a -u 10.0.0.2:53 -r 300.1.1.1 -m',
          '-a -u 10.0.0.2:53 -r 10.1.1.1',
          '-A -u 10.0.0.2:53',
          '-A -t 10.0.0.3:70000',
        ].join('\n'),
      }),
      'table.txt',
    );
    const { code, stdout, stderr } = await svcplane(['ipvs', 'restore', file]);
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr.replaceAll(file, 'table.txt').split('\n')).toEqual([
      expect.stringMatching(/^error: table.txt:1: -s "fastest" is not one of rr, wrr, /),
      'error: table.txt:4: -r "300.1.1.1" is not an IP address',
      expect.stringMatching(/^error: table.txt:5: without -m a server is for direct routing/),
      'error: table.txt:6: -u "UDP 10.0.0.2:53" exists already',
      'error: table.txt:7: -t "70000" is not a number from 0 to 65535',
      '',
    ]);
  });
});

describe('ipvs simulate', () => {
  it('gives each server its share by weight, with its connections at the end', async () => {
    const { result } = await simulate('-t', '10.96.0.20:80', '-c', '400');
    expect(result.services).toEqual([
      {
        service: 'TCP 10.96.0.20:80',
        scheduler: 'wrr',
        flags: [],
        connections: 400,
        refused: 0,
        servers: [
          { server: '10.244.2.7:8080', weight: 1, connections: 100, share: 0.25, expectedShare: 0.25, active: 100, inactive: 0 },
          { server: '10.244.1.5:8080', weight: 3, connections: 300, share: 0.75, expectedShare: 0.75, active: 300, inactive: 0 },
        ],
      },
    ]);
  });

  it('repeats itself for a seed, and takes other clients for another one', async () => {
    const choices = async (seed: string) => (await simulate('--choices', '--seed', seed, '-c', '50')).result.items;
    expect(await choices('7')).toEqual(await choices('7'));
    expect(await choices('7')).not.toEqual(await choices('8'));
    expect(await choices('7')).toHaveLength(100);
  });

  it('closes connections after --duration: they are inactive until their timeout', async () => {
    const { result } = await simulate('-t', '10.96.0.20:80', '-c', '100', '--rate', '10', '--duration', '1');
    const [service] = result.services;
    expect(service.servers.map(({ active }: { active: number }) => active).reduce((a: number, b: number) => a + b)).toBe(10);
    expect(service.servers.map(({ inactive }: { inactive: number }) => inactive).reduce((a: number, b: number) => a + b)).toBe(90);
  });

  it('takes another scheduler, whose flags are not those of the table, and persistence', async () => {
    const { result } = await simulate('-t', '10.96.0.10:53', '-s', 'rr', '-p', '60');
    expect(result.services[0]).toMatchObject({ scheduler: 'rr', flags: [], persistenceSeconds: 60 });
  });

  it('takes clients from CSV in the order of its lines, columns by name', async () => {
    const csv = join(directoryWith({ 'c.csv': 'connections,client\n2,172.16.0.1\n1,172.16.0.2\n' }), 'c.csv');
    const { result } = await simulate('-t', '10.96.0.20:80', '--choices', '--csv', csv);
    const clients = result.items.map(({ client }: { client: string }) => client);
    expect(clients).toEqual(['172.16.0.1:32768', '172.16.0.1:32769', '172.16.0.2:32768']);
  });

  it('chooses Services of manifests by name, and says which there are', async () => {
    const { stdout } = await svcplane(['ipvs', 'simulate', ...HOSTNAMES, '-t', 'hostnames', '-s', 'mh']);
    expect(stdout).toMatch(/^TCP \S+:80 \(default\/hostnames\) mh: 1000 connections\n/);
    const { code, stderr } = await svcplane(['ipvs', 'simulate', ...HOSTNAMES, '-t', 'hostname']);
    expect(code).toBe(3);
    expect(stderr).toBe('error: service hostname is not in the table; did you mean default/hostnames?\n');
  });

  it('takes what a configuration says of IPVS: scheduler, session affinity, timeouts', async () => {
    const directory = directoryWith({
      'sticky.yaml':
        '{apiVersion: v1, kind: Service, metadata: {name: sticky}, spec: {selector: {app: hostnames}, sessionAffinity: ClientIP, ports: [{port: 80}]}}',
      'config.yaml': '{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, ipvs: {scheduler: mh, tcpTimeout: 2s}}',
    });
    const files = [...HOSTNAMES, '-f', join(directory, 'sticky.yaml'), '--config', join(directory, 'config.yaml')];
    const { stdout } = await svcplane(['ipvs', 'simulate', ...files, '-t', 'sticky', '-o', 'json', '--rate', '10', '-c', '100']);
    const [service] = JSON.parse(stdout).services;
    expect(service).toMatchObject({ scheduler: 'mh', flags: ['mh-port'], persistenceSeconds: 10800, connections: 100 });
    const active = service.servers.map((server: { active: number }) => server.active).reduce((a: number, b: number) => a + b);
    expect(active).toBe(20); // those of the last two seconds
  });

  it('follows every --set of a table: 0 leaves a timeout as it is', async () => {
    const stdin = `${TABLE}--set 2 0 0\n--set 0 0 30\n`;
    const argv = ['-t', '10.96.0.20:80', '-c', '100', '--rate', '10', '-o', 'json'];
    const { stdout } = await svcplane(['ipvs', 'simulate', '-', ...argv], { stdin });
    const [service] = JSON.parse(stdout).services;
    expect(service.servers.map(({ active }: { active: number }) => active).reduce((a: number, b: number) => a + b)).toBe(20);
  });

  it('keeps the netmask of a table with another persistence', async () => {
    const stdin = '-A -t 10.0.0.1:80 -s rr -p 60 -M 255.255.0.0\n-a -t 10.0.0.1:80 -r 10.1.1.1 -m\n-a -t 10.0.0.1:80 -r 10.1.1.2 -m\n';
    const argv = ['--client-cidr', '172.16.0.0/16', '-p', '500', '-o', 'json'];
    const { stdout } = await svcplane(['ipvs', 'simulate', '-', ...argv], { stdin });
    const [service] = JSON.parse(stdout).services;
    expect(service.servers.map(({ connections }: { connections: number }) => connections)).toEqual([1000, 0]);
  });

  it('counts connections of servers that keep the port of the client', async () => {
    const stdin = `-A -f 7 -s wrr
-a -f 7 -r 10.0.0.1 -m -w 3
-a -f 7 -r 10.0.0.2:8080 -m -w 1
-A -t 10.0.0.9:0 -s rr -p
-a -t 10.0.0.9:0 -r 10.0.0.1:0 -m
-a -t 10.0.0.9:0 -r 10.0.0.3:81 -m
`;
    const { stdout } = await svcplane(['ipvs', 'simulate', '-', '-c', '100', '-o', 'json'], { stdin });
    type Servers = { servers: { server: string; connections: number; active: number }[] };
    const services: Servers[] = JSON.parse(stdout).services;
    expect(services.map(({ servers }) => servers.map(({ server, connections }) => [server, connections]))[0]).toEqual([
      ['10.0.0.2:8080', 25],
      ['10.0.0.1:0', 75],
    ]);
    for (const { servers } of services) for (const { connections, active } of servers) expect(connections).toBe(active);
  });

  it('says how many found no server', async () => {
    const stdin = '-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.1.1:80 -m -w 0\n';
    const { stdout } = await svcplane(['ipvs', 'simulate', '-', '-c', '10'], { stdin });
    expect(stdout).toContain('10 of 10 refused: no usable server');
  });

  it.each([
    ['no table', [], 2, 'no table given'],
    ['a table and manifests', ['t.txt', ...HOSTNAMES], 2, 'exclude each other'],
    ['a missing table', ['nope.txt'], 3, 'nope.txt: no such file'],
    ['a flag of another scheduler', ['-', '-s', 'sh', '-b', 'mh-port'], 2, '--sched-flags "mh-port" is a flag of scheduler mh, not of sh'],
    ['a sysctl without value', ['-', '--sysctl', 'sloppy_tcp'], 2, 'expected name=number'],
    ['more clients than addresses', ['-', '--client-cidr', '10.0.0.0/30'], 2, '--clients 100: 10.0.0.0/30 has 4 addresses'],
    ['CSV beside a population', ['-', '--csv', 'c.csv', '--clients', '3'], 2, '--csv says who connects'],
  ])('%s is refused', async (_what, argv, code, message) => {
    const answer = await svcplane(['ipvs', 'simulate', ...argv], { stdin: TABLE });
    expect(answer).toMatchObject({ code, stdout: '' });
    expect(answer.stderr).toContain(message);
  });
});
