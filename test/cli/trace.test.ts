import { describe, expect, it } from 'vitest';
import { svcplane } from './command.ts';

const HOSTNAMES = ['trace', '-f', 'examples/hostnames.yaml'];

const SCENE = `
{apiVersion: v1, kind: Service, metadata: {name: head}, spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: out}, spec: {type: ExternalName, externalName: example.com}}
---
{apiVersion: v1, kind: Service, metadata: {name: empty}, spec: {selector: {app: none}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{name: http, port: 80, nodePort: 30080}, {name: dns, port: 53, protocol: UDP}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-0, namespace: shop, labels: {app: web}}, spec: {nodeName: node-2, containers: [{name: c}]}}
`;

const scene = (...argv: string[]) => svcplane(['trace', '-f', '-', ...argv], { stdin: SCENE });

describe('svcplane trace', () => {
  it('explains in plain words which rules decide and which backends have which odds', async () => {
    const { code, stdout, stderr } = await svcplane([...HOSTNAMES, '--from', 'default/client', '--to', 'hostnames']);
    expect(code).toBe(0);
    expect(stderr).toBe('note: default/client is not in the manifests: a stand-in Pod on node-1 with 10.244.1.250\n');
    expect(stdout).toMatch(
      /^10\.244\.1\.250:40000 → hostnames\.default 10\.\d+\.\d+\.\d+:80\/TCP in iptables mode on node-1: DNAT to one of 3 backends\n/,
    );
    expect(stdout).toMatch(/\nBACKEND +POD +NODE +CHANCE +MASQUERADE\n10\.244\.1\.2:9376 +hostnames-\w+-\w+ +node-1 +33\.3% +no\n/);
    expect(stdout).toMatch(/nat KUBE-SERVICES #1 +address and port are the cluster IP of default\/hostnames\n/);
    expect(stdout).toMatch(/nat KUBE-SVC-\w{16} #2 +chance picks 10\.244\.1\.2:9376 \(33\.3%\)\n/);
    expect(stdout).toMatch(/nat KUBE-SEP-\w{16} #2 +the destination becomes 10\.244\.1\.2:9376\n/);
    expect(stdout).not.toContain('\u001b');
  });

  it('is coloured on a terminal, unless NO_COLOR is set', async () => {
    const argv = [...HOSTNAMES, '--from', 'node', '--to', 'hostnames'];
    expect((await svcplane(argv, { isTTY: true })).stdout).toContain('\u001b[1m');
    expect((await svcplane(argv, { isTTY: true, env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b');
  });

  it.each(['wasm', 'js'])('says the same whatever runs the packets: %s', async (engine) => {
    const argv = [...HOSTNAMES, '--from', 'node', '--to', 'hostnames'];
    expect((await svcplane([...argv, '--engine', engine])).stdout.split('The way')[0]).toBe(
      (await svcplane(argv)).stdout.split('The way')[0],
    );
  });

  it('knows the node as a client, which is masqueraded', async () => {
    const { stdout } = await svcplane([...HOSTNAMES, '--from', 'node', '--node', 'node-3', '--to', 'hostnames.default:80']);
    expect(stdout).toMatch(/^192\.168\.0\.13:40000 → .* on node-3: /);
    expect(stdout).toMatch(/node-1 +33\.3% +yes, as this node\n/);
    expect(stdout).toContain('the client is no Pod of this cluster: marked for masquerade');
  });

  it('works in IPVS mode', async () => {
    const { stdout } = await svcplane([...HOSTNAMES, '--from', 'default/client', '--to', 'hostnames', '--mode', 'ipvs']);
    expect(stdout).toContain('in ipvs mode on node-1: DNAT to one of 3 backends');
  });

  it('a Pod sends from its own node', async () => {
    expect((await scene('--from', 'shop/web-0', '--to', 'empty')).stdout).toContain(' on node-2: REJECT');
    expect((await scene('--from', 'web-0', '-n', 'shop', '--to', 'empty')).stdout).toContain(' on node-2: REJECT');
    const elsewhere = await scene('--from', 'shop/web-0', '--to', 'empty', '--node', 'node-1');
    expect(elsewhere.stdout).toContain(' on node-1: REJECT');
    expect(elsewhere.stderr).toContain('shop/web-0 runs on node-2');
  });

  it('says why nobody answers', async () => {
    const { stdout } = await scene('--from', 'external', '--to', 'empty');
    expect(stdout).toContain('REJECT: refused at once with an ICMP error');
    expect(stdout).toContain('default/empty has no endpoints at all');
    expect(stdout).toMatch(/filter KUBE-SERVICES #\d+ +default\/empty has no endpoints: refused with an ICMP error\n/);
  });

  it('a packet from outside to a node is decided on that node', async () => {
    expect((await scene('--from', 'external', '--to', '192.168.0.12:30080')).stdout).toContain(
      ' on node-2: DNAT to the only backend, 10.244.2.2:80\n',
    );
    const { stdout } = await scene('--from', 'external', '--to', '192.168.0.13:30080');
    expect(stdout).toContain(' on node-3: DROP');
    expect(stdout).toMatch(/10\.244\.2\.2:80 +web-0 +node-2 +usable, but not on this node\n/);
  });

  it('finds ports by number and by name, and the protocol with them', async () => {
    expect((await scene('--from', 'node', '--to', 'web.shop:dns')).stdout).toContain(':53/UDP');
    expect((await scene('--from', 'node', '--to', 'web.shop.svc.cluster.local:80')).stdout).toContain(':80/TCP');
    expect((await scene('--from', 'node', '--to', 'shop/web', '--protocol', 'udp')).stdout).toContain(':53/UDP');
    expect(await scene('--from', 'node', '--to', 'web.shop:81')).toMatchObject({
      code: 3,
      stderr: 'error: service web.shop has no port 81; it has 80/TCP (http), 53/UDP (dns)\n',
    });
  });

  it('proposes names that are near', async () => {
    expect(await scene('--from', 'node', '--to', 'emty')).toMatchObject({
      code: 3,
      stderr: 'error: service emty.default does not exist; did you mean empty.default?\n',
    });
    expect((await scene('--from', 'web-0', '--to', 'empty')).stderr).toContain('pod default/web-0 does not exist');
  });

  it('a headless Service and an ExternalName get an answer, too', async () => {
    expect(await scene('--from', 'node', '--to', 'out')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('DNS answers with the name example.com'),
    });
    expect((await scene('--from', 'node', '--to', 'head')).stdout).toContain('it is headless (clusterIP: None)');
  });

  it('prints JSON with apiVersion and kind', async () => {
    const { stdout } = await svcplane([...HOSTNAMES, '--from', '10.244.1.9:555', '--to', 'hostnames', '-o', 'json']);
    const read = JSON.parse(stdout);
    expect(read).toMatchObject({
      apiVersion: 'svcplane/v1',
      kind: 'Explanation',
      mode: 'iptables',
      packet: { source: '10.244.1.9', sourcePort: 555, destinationPort: 80, protocol: 'TCP' },
    });
    expect(read.outcomes).toHaveLength(3);
  });

  it('shows the rules themselves with -v', async () => {
    const { stdout } = await svcplane([...HOSTNAMES, '--from', 'node', '--to', 'hostnames', '-v']);
    expect(stdout).toMatch(/-A KUBE-SERVICES -d 10\.\S+ -p tcp -m comment --comment "default\/hostnames cluster IP"/);
  });
});

describe('svcplane render', () => {
  it('prints what the tools read, of one tool alone with --tool', async () => {
    const { stdout } = await svcplane(['render', '-f', 'examples/hostnames.yaml']);
    expect(stdout).toMatch(/^# (sysctl|iptables-restore)/);
    expect(stdout).toContain('-A KUBE-SERVICES');
    const only = (await svcplane(['render', '-f', 'examples/hostnames.yaml', '--tool', 'iptables-restore'])).stdout;
    expect(only).toMatch(/^\*filter/);
  });

  it.each([
    [['--from', '10.0.0.256', '--to', 'hostnames'], '--from 10.0.0.256 is no IP, and no Pod is named so'],
    [['--from', 'external:80', '--to', 'hostnames'], '--from external:80 is no IP, and no Pod is named so'],
    [['--from', 'node', '--to', '10.0.0.300:80'], '--to 10.0.0.300:80 is no IP: expected IP:port or service'],
    [['--from', 'node', '--to', 'hostnames.default.example.com'], '--to hostnames.default.example.com: expected IP:port or service'],
    [['--from', 'node', '--to', '::1:80'], '--to ::1:80 lacks a port: expected [IP]:port'],
  ])('tells of %j what an end looks like', async (ends, message) => {
    const { code, stderr } = await svcplane([...HOSTNAMES, ...ends]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('prints the same each time', async () => {
    const argv = [...HOSTNAMES, '--from', 'default/client', '--to', 'hostnames'];
    const answers = await Promise.all(Array.from({ length: 6 }, () => svcplane(argv)));
    expect(new Set(answers.map(({ stdout }) => stdout)).size).toBe(1);
  });

  it('says of one backend among several that the scheduler picks it', async () => {
    const argv = [...HOSTNAMES, '--from', 'default/client', '--to', 'hostnames', '--config', 'test/cli/kube-proxy-mh.yaml'];
    const { stdout } = await svcplane(argv);
    expect(stdout).toMatch(/in ipvs mode on node-1: DNAT to 10\.244\.\d\.\d:9376, which IPVS picks for this packet\n/);
    expect(stdout).toMatch(/ IPVS +virtual service TCP 10\.\d+\.\d+\.\d+:80 mh: 10\.244\.\d\.\d:9376 \(100%\)\n/);
  });

  it('takes the mode of a kube-proxy configuration', async () => {
    const config = 'test/cli/kube-proxy.yaml';
    const { stdout } = await svcplane(['render', '-o', 'json', '-f', 'examples/hostnames.yaml', '--config', config]);
    expect(JSON.parse(stdout)).toMatchObject({ apiVersion: 'svcplane/v1', kind: 'Rendered', mode: 'ipvs' });
    const other = await svcplane(['render', '-o', 'json', '-f', 'examples/hostnames.yaml', '--config', config, '--mode', 'iptables']);
    expect(JSON.parse(other.stdout).mode).toBe('iptables');
  });
});
