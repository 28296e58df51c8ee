import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryWith, svcplane } from './command.ts';

const CLUSTER = 'test/golden/cluster.yaml';
const WEB = `apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
---
apiVersion: v1
kind: Pod
metadata: { name: web-0, labels: { app: web } }
spec: { containers: [{ name: web }] }
`;

const modes = (...argv: string[]) => svcplane(['diff', '--from-mode', 'iptables', '--to-mode', 'nftables', ...argv]);

describe('svcplane diff between modes', () => {
  it('tells the story first: how many Services change, and why, worst first', async () => {
    const { code, stdout, stderr } = await modes('-f', CLUSTER);
    expect(code).toBe(1);
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^iptables → nftables: 4 Services change, 0 stay the same \(\d+ kinds of connection asked on node-1, node-3, node-2\)\n/,
    );
    expect(stdout).toMatch(/\n1 +BREAKS +NodePorts stop answering on loopback addresses +3 +default\/web, shop\/front, shop\/remote\n/);
    expect(stdout).toMatch(/ {3}why {2}In iptables mode they work on 127\.0\.0\.1 .*;\s+in\s+nftables mode they never work on loopback\./);
    expect(stdout).toMatch(/ {3}do {3}Let what runs on the node use the cluster IP/);
  });

  it('shows a packet and the line of the manifest', async () => {
    const { stdout } = await modes('-f', CLUSTER, '--node', 'node-1');
    expect(stdout).toContain(`   default/web  ${CLUSTER}:3
     NodePort 127.0.0.1:30080/TCP from this node, as 127.0.0.1:40000
       10.244.1.5:8080 or 10.244.2.7:8080, masqueraded → no rule takes it
`);
  });

  it('asks the addresses that --node-ip names', async () => {
    const { stdout } = await modes('-f', CLUSTER, '--node-ip', '192.168.0.11', '--node-ip', '172.16.0.1');
    expect(stdout).toMatch(/BREAKS +NodePorts answer on the node's primary address only/);
    expect(stdout).toContain('NodePort 172.16.0.1:30080/TCP from anywhere');
  });

  it('exits with 0 when nothing changes', async () => {
    const { code, stdout } = await svcplane(['diff', '--from-mode', 'ipvs', '--to-mode', 'ipvs', '-f', CLUSTER]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ipvs → ipvs: all 4 Services stay the same/);
  });

  it('compares configurations of one mode', async () => {
    const directory = directoryWith({
      'to.yaml': '{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, nodePortAddresses: [10.99.0.0/16]}',
    });
    const { code, stdout } = await svcplane(['diff', '-f', CLUSTER, '--to-config', join(directory, 'to.yaml'), '--node', 'node-1']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/BREAKS +The configuration of the node changes it/);
  });

  it('writes JSON for programs', async () => {
    const { code, stdout } = await modes('-f', CLUSTER, '-o', 'json', '--node', 'node-1');
    expect(code).toBe(1);
    const comparison = JSON.parse(stdout);
    expect(comparison).toMatchObject({
      apiVersion: 'svcplane/v1',
      kind: 'Comparison',
      from: 'iptables',
      to: 'nftables',
      nodes: ['node-1'],
    });
    expect(comparison).toMatchObject({ services: 4, changed: 4, same: 0 });
    expect(comparison.findings[0]).toMatchObject({ id: 'loopback-node-port', effect: 'lost' });
    expect(comparison.findings[0].services[0]).toMatchObject({
      service: 'default/web',
      location: `${CLUSTER}:3`,
      changes: [{ witness: { protocol: 'TCP', source: '127.0.0.1', destination: '127.0.0.1', destinationPort: 30080 } }],
    });
  });
});

describe('svcplane diff between states', () => {
  const states = (before: string, after: string) => {
    const directory = directoryWith({ 'old.yaml': before, 'new.yaml': after });
    return svcplane(['diff', join(directory, 'old.yaml'), join(directory, 'new.yaml')]);
  };

  it('leaves alone what keeps its place while others come', async () => {
    const another = WEB.replaceAll('web', 'another');
    const { code, stdout } = await states(WEB, `${another}---\n${WEB}`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/1 Service changes, 1 stays the same/);
    expect(stdout).toMatch(/opens +ServicePorts that are new +1 +default\/another/);
  });

  it.each([
    ['a Service goes', WEB.slice(WEB.indexOf('---') + 4), /BREAKS +ServicePorts that are gone/],
    ['its selector fits nobody', WEB.replace('selector: { app: web }', 'selector: { app: wab }'), /BREAKS +No endpoint is left/],
    ['its targetPort changes', WEB.replace('8080', '9090'), /moves +Endpoints listen on another port/],
    [
      'its policy changes',
      WEB.replace('spec:\n', 'spec:\n  internalTrafficPolicy: Local\n'),
      /BREAKS +internalTrafficPolicy becomes Local/,
    ],
    [
      'it gets session affinity',
      WEB.replace('spec:\n', 'spec:\n  sessionAffinity: ClientIP\n'),
      /affinity +Session affinity becomes 10800 seconds/,
    ],
  ])('says so when %s', async (_title, after, said) => {
    const { code, stdout } = await states(WEB, after);
    expect(code).toBe(1);
    expect(stdout).toMatch(said);
  });

  it('has nothing to say about the same state', async () => {
    expect(await states(WEB, WEB)).toMatchObject({ code: 0, stdout: expect.stringContaining('the only Service stays the same') });
  });
});

it.each([
  [[], 'nothing to compare'],
  [['old'], 'old is one state; name the other one as well'],
  [['old', 'new', '--from-mode', 'ipvs'], 'two states are compared in one mode'],
  [['old', 'new', '-f', CLUSTER], 'with two states, -f has no meaning'],
  [['--from-mode', 'iptables', '--to-mode', 'nftables'], 'no manifests given'],
])('svcplane diff %j is a mistake of usage', async (argv, message) => {
  const { code, stderr } = await svcplane(['diff', ...argv]);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

it('the README shows the command', () => {
  expect(readFileSync('README.md', 'utf8')).toContain('npx svcplane diff --from-mode iptables --to-mode nftables -f cluster.yaml');
});
