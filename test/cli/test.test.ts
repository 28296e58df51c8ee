import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryWith, svcplane } from './command.ts';

const SHOP = `
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{name: http, port: 80, nodePort: 30080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {selector: {app: db}, ports: [{port: 5432}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: empty}, spec: {selector: {app: none}, ports: [{port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3, selector: {matchLabels: {app: web, track: stable}}, template: {metadata: {labels: {app: web, track: stable}}, spec: {nodeName: node-1, containers: [{name: c}]}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: canary}, spec: {replicas: 1, selector: {matchLabels: {app: web, track: canary}}, template: {metadata: {labels: {app: web, track: canary}}, spec: {nodeName: node-2, containers: [{name: c}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db-0, labels: {app: db}}, spec: {nodeName: node-2, containers: [{name: c}]}}
`;

const HEAD = 'apiVersion: svcplane/v1\nkind: RoutingTest\ncases:\n';

/** Runs cases, one a line in YAML's flow style, against the shop. */
function shop(cases: readonly string[], ...argv: string[]) {
  const directory = directoryWith({ 'routing.yaml': HEAD + cases.map((each) => `  - ${each}\n`).join('') });
  return svcplane(['test', join(directory, 'routing.yaml'), '-f', '-', ...argv], { stdin: SHOP });
}

describe('a routing case', () => {
  it.each([
    '{to: web, mode: all, expect: allowed}',
    '{to: "web:http", workloads: [web, Deployment/canary]}',
    '{to: web, workloads: [default/web, deployment/default/canary], shares: {web: 75%, Deployment/canary: 0.25}, masquerade: false}',
    '{to: web, shares: {web: 70%}, tolerance: 5%}',
    '{to: db, backends: [db-0]}',
    '{to: db, backends: ["10.244.2.2:5432"]}',
    '{to: db, backends: 10.244.2.2}',
    '{to: db, from: node, masquerade: true}',
    '{to: db, reachableFromOutside: false, mode: [iptables, nftables]}',
    '{to: web, reachableFromOutside: true}',
    '{to: web, via: NodePort, from: external, workloads: [web], masquerade: false}',
    '{to: web, via: NodePort, from: external, node: node-3, expect: dropped}',
    '{to: web, via: NodePort, from: external, node: node-3, mode: ipvs, expect: allowed}',
    '{to: empty, expect: rejected}',
    '{to: empty, expect: refused}',
    '{to: "192.168.0.12:30080", from: external, workloads: [canary]}',
    '{to: "10.96.0.77:80", expect: unanswered}',
    '{to: "10.96.0.77:80", mode: nftables, expect: dropped}',
  ])('holds: %s', async (given) => {
    const { code, stdout } = await shop([given]);
    expect(stdout).toMatch(/assertions?: \d passed\n$/);
    expect(code).toBe(0);
  });

  it.each([
    ['{to: web, expect: refused}', 'expected refused, but the connection is sent to a backend'],
    ['{to: empty, expect: allowed}', 'expected allowed, but the connection is rejected'],
    ['{to: "10.96.0.77:80", expect: refused}', 'expected refused, but the connection is unanswered (no Service takes it)'],
    ['{to: db, backends: [db-0, db-1]}', 'no connection reaches db-1'],
    ['{to: web, workloads: [web]}', '10.244.2.3:80 (default/canary-'],
    ['{to: web, shares: {canary: 50%}}', 'canary gets 25%, expected 50% ± 1%'],
    ['{to: web, masquerade: true}', 'expected masquerade, but the source address stays'],
    ['{to: db, from: node, masquerade: false}', "expected no masquerade, but the source address becomes the node's"],
    ['{to: web, reachableFromOutside: false}', 'expected to be unreachable from outside, but the connection is sent to a backend'],
    ['{to: db, reachableFromOutside: true}', 'expected to be reachable from outside, but the Service has no address there'],
  ])('fails: %s', async (given, said) => {
    const { code, stdout } = await shop([given]);
    expect(stdout).toContain(said);
    expect(stdout).toMatch(/1 assertion: 1 failed, 0 passed\n$/);
    expect(code).toBe(1);
  });
});

describe('what svcplane test prints', () => {
  const cases = ['{name: "all & <some>", to: db, expect: allowed}', '{name: nobody, to: db, expect: refused, mode: [iptables, ipvs]}'];

  it('is text with the packet, the place and the way that led there', async () => {
    const { stdout } = await shop(cases);
    expect(stdout).toMatch(/^✓ all & <some> \(iptables, node-1\)\n✗ nobody \(iptables, node-1\) {2}\S+routing\.yaml:5\n/);
    expect(stdout).toMatch(/\n {4}10\.244\.1\.250:40000 → 10\.\d+\.\d+\.\d+:5432\/TCP\n {4}The way \(\d+ rules looked at/);
    expect(stdout).toMatch(/nat KUBE-SERVICES #\d+ +address and port are the cluster IP of default\/db/);
    expect(stdout).toMatch(/\n3 assertions: 2 failed, 1 passed\n$/);
  });

  it('is TAP', async () => {
    const { code, stdout } = await shop(cases, '-o', 'tap');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^TAP version 14\n1\.\.3\nok 1 - all & <some> \(iptables, node-1\)\nnot ok 2 - nobody \(iptables, node-1\)\n {2}---\n {2}message: "expected refused/,
    );
  });

  it('is JUnit', async () => {
    const { code, stdout } = await shop(cases, '-o', 'junit');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites tests="3" failures="2" errors="0" skipped="0">\n/);
    expect(stdout).toContain('<testcase name="all &amp; &lt;some&gt; (iptables, node-1)"');
    expect(stdout).toContain('<failure message="expected refused, but the connection is sent to a backend">');
  });

  it('is JSON', async () => {
    const { code, stdout } = await shop(cases, '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      apiVersion: 'svcplane/v1',
      kind: 'RoutingTestResult',
      assertions: 3,
      passed: 1,
      failed: 2,
      items: [{ passed: true, failures: [] }, { passed: false, mode: 'iptables', outcomes: [{ action: 'DNAT' }] }, { mode: 'ipvs' }],
    });
  });
});

describe('a file of routing tests that cannot be used', () => {
  it.each([
    ['{to: web, expct: allowed}', '4:22: cases[0].expct "allowed" is no field of a case; did you mean expect?'],
    [
      '{to: web, expect: alowed}',
      'cases[0].expect "alowed" is not one of allowed, refused, rejected, dropped, unanswered; did you mean allowed?',
    ],
    [
      '{to: web, mode: nftable, expect: allowed}',
      'cases[0].mode "nftable" is not one of iptables, ipvs, nftables, all; did you mean nftables?',
    ],
    ['{to: web}', 'cases[0] claims nothing, expected one of expect, backends'],
    ['{expect: allowed}', 'cases[0].to is missing'],
    ['{to: web, shares: {web: 120%}}', 'cases[0].shares[web] "120%" is not a share, expected 0-1 or 0%-100%'],
    ['{to: web, masquerade: maybe}', 'cases[0].masquerade "maybe" is not true or false'],
    ['{to: wab, expect: allowed}', 'routing.yaml:4: case 1: wab: service wab.default does not exist; did you mean web.default'],
    ['{to: web, from: nobody, expect: allowed}', 'pod default/nobody does not exist'],
    ['{to: db, via: NodePort, expect: allowed}', 'service db.default has no NodePort; it has ClusterIP'],
    ['{to: web, node: node-9, expect: allowed}', 'node node-9 does not exist; there are node-1, node-2'],
  ])('%s', async (given, said) => {
    const { code, stdout, stderr } = await shop([given]);
    expect(stderr).toContain(said);
    expect(stdout).toBe('');
    expect(code).toBe(3);
  });

  it('names every problem, not the first alone', async () => {
    const { stderr } = await shop(['{to: web}', '{to: web, expect: no}', '{to: web, expect: allowed}']);
    expect(stderr.trim().split('\n')).toHaveLength(2);
  });

  it.each([
    ['kind: RoutingTest\n', 'apiVersion is missing'],
    ['apiVersion: svcplane/v1\nkind: RoutingTests\n', ':2:7: kind "RoutingTests" is not RoutingTest'],
    ['apiVersion: svcplane/v1\nkind: RoutingTest\n', 'cases is missing'],
    ['apiVersion: svcplane/v1\nkind: RoutingTest\ncases: []\n', 'no cases'],
    [
      'apiVersion: svcplane/v1\nkind: RoutingTest\ndefaults: {fro: a}\ncases: []\n',
      'defaults.fro "a" is no field of defaults; did you mean from?',
    ],
    ['', 'is empty'],
    ['[1', ':1:3: '],
  ])('%j', async (text, said) => {
    const directory = directoryWith({ 'routing.yaml': text });
    const { code, stderr } = await svcplane(['test', join(directory, 'routing.yaml'), '-f', '-'], { stdin: SHOP });
    expect(stderr).toContain(said);
    expect(code).toBe(3);
  });
});

it('the example holds in every mode', async () => {
  const { code, stdout } = await svcplane(['test', 'examples/routing.yaml', '-f', 'examples/hostnames.yaml']);
  expect(stdout).toMatch(/\n9 assertions: 9 passed\n$/);
  expect(code).toBe(0);
});
