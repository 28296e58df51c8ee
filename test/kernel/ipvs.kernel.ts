// IPVS mode against the node's own tools: what `render` prints for ip, ipset and iptables-restore is taken by them in a namespace of its own, and
// what they print back is the same. Kernels without the module ip_vs take no `-m ipvs` rule, and have no table for ipvsadm: that is said, not hidden.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Family } from '../../src/address.ts';
import { parseManifests } from '../../src/api/manifests.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Rendered } from '../../src/dataplane-types.ts';
import { Network } from './network.ts';
import { isInstalled, whyNoNetwork } from './variant.ts';

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const TOOLS = ['ip', 'ipset', 'iptables-restore', 'ip6tables-restore', 'iptables-save', 'ip6tables-save'];
const missing = TOOLS.filter((tool) => !isInstalled(tool));
const reason = whyNoNetwork() ?? (missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`);
/** Only the namespaces' own kernel decides: a module that is not loaded cannot be asked for here. */
const hasIpvs = spawnSync('sh', ['-c', 'test -e /proc/net/ip_vs'], { stdio: 'ignore' }).status === 0;

/** A load balancer whose sources leave the node out: the only kind that KUBE-IPVS-OUT-FILTER has a rule for. */
const GUARDED = `{apiVersion: v1, kind: Service, metadata: {name: guarded, namespace: default}, spec: {type: LoadBalancer, clusterIP: 10.96.0.99,
  clusterIPs: [10.96.0.99], ipFamilies: [IPv4], ports: [{port: 80, protocol: TCP}], loadBalancerSourceRanges: [203.0.113.0/25]},
  status: {loadBalancer: {ingress: [{ip: 198.51.100.9}]}}}`;

function rendered(): readonly Rendered[] {
  const dataplane = createDataplaneSync({
    mode: 'ipvs',
    engine: 'js',
    seed: 1,
    nodeName: 'node-1',
    nodeIPs: ['192.168.0.11', 'fd00:192:168::11'],
    config: { clusterCIDR: '10.244.0.0/16,fd00:10:244::/56' },
  });
  dataplane.apply(parseManifests(readFileSync(new URL('../golden/cluster.yaml', import.meta.url), 'utf8'), 'cluster.yaml'));
  dataplane.apply(parseManifests(GUARDED));
  return dataplane.render();
}

/** Words of a rule in any order of options and quotes: what a save and its input must have in common. */
function ruleCount(text: string): number {
  return text.split('\n').filter((line) => line.startsWith('-A ')).length;
}

function canMake(network: Network, kind: string): boolean {
  try {
    network.run('node', 'ip', ['link', 'add', 'trial0', 'type', kind]);
    network.run('node', 'ip', ['link', 'del', 'trial0']);
    return true;
  } catch {
    return false;
  }
}

describe('IPVS mode', () => {
  if (reason !== undefined) {
    test.skip(`SKIPPED, ${reason}`, () => {});
    return;
  }
  const parts = rendered();
  let network: Network;
  beforeAll(() => {
    network = new Network('ipvs');
    console.log(
      hasIpvs
        ? 'kernel: ip_vs is there: -m ipvs rules and ipvsadm are asked too'
        : 'kernel: no ip_vs: rules with -m ipvs LEFT OUT, ipvsadm not asked',
    );
  });
  afterAll(() => network?.[Symbol.dispose]());

  const partOf = (tool: Rendered['tool'], family: Family): string =>
    parts.find((part) => part.tool === tool && part.family === family)?.text ?? '';

  /** Where the kernel has no dummy devices, a cable without an end stands in for one. */
  function withDevice(batch: string): string {
    const [command = ''] = /^link add (\S+) type dummy$/m.exec(batch) ?? [];
    if (command === '' || canMake(network, 'dummy')) return batch;
    console.log('kernel: no dummy devices: kube-ipvs0 is a veth here');
    return batch.replace(command, command.replace('dummy', 'veth'));
  }

  test('kube-ipvs0 gets its addresses', () => {
    for (const family of FAMILIES) network.run('node', 'ip', ['-batch', '-'], withDevice(partOf('ip', family)));
    const shown = network.run('node', 'ip', ['-o', 'addr', 'show', 'dev', 'kube-ipvs0']);
    for (const family of FAMILIES) {
      for (const [, address = ''] of partOf('ip', family).matchAll(/addr replace (\S+)/g)) expect(shown).toContain(`${address} `);
    }
  });

  test('ipset restore takes every set with its entries', () => {
    for (const family of FAMILIES) {
      const input = partOf('ipset', family);
      network.run('node', 'ipset', ['restore'], input);
      const saved = network.run('node', 'ipset', ['save']);
      const entries = [...input.matchAll(/^add .*$/gm)].map(([line]) => line);
      expect(entries.length).toBeGreaterThan(0);
      for (const entry of entries) expect(saved.split('\n')).toContain(entry);
    }
  });

  test.each([
    ['IPv4', 'iptables-restore', 'iptables-save'],
    ['IPv6', 'ip6tables-restore', 'ip6tables-save'],
  ] as const)('%s: %s takes every rule', (family, restore, save) => {
    const whole = partOf(restore, family);
    const input = hasIpvs
      ? whole
      : whole
          .split('\n')
          .filter((line) => !line.includes('-m ipvs '))
          .join('\n');
    if (family === 'IPv4') expect(whole).toContain('-m ipvs --vaddr 198.51.100.9');
    network.run('node', restore, [], input);
    expect(ruleCount(network.run('node', save, []))).toBe(ruleCount(input));
  });

  test('rules are refused when a set is missing, so that the test above means something', () => {
    const input = partOf('iptables-restore', 'IPv4').replaceAll('KUBE-CLUSTER-IP', 'KUBE-NO-SUCH-SET');
    expect(() => network.run('node', 'iptables-restore', ['--test'], input)).toThrow(/KUBE-NO-SUCH-SET/);
  });

  test.skipIf(!hasIpvs)('ipvsadm -R takes every virtual service', () => {
    for (const family of FAMILIES) network.run('node', 'ipvsadm', ['-R'], partOf('ipvsadm', family));
    expect(network.run('node', 'ipvsadm', ['-Sn']).split('\n').length).toBeGreaterThan(1);
  });
});
