// Two dataplanes of one node compared: what changes between modes, and that every change has a reason and a packet that shows it.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifests } from '../../src/api/manifests.ts';
import { createCluster } from '../../src/cluster/cluster.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import { answerOf, effectOf } from '../../src/diff/answer.ts';
import { type Comparison, compareDataplanes } from '../../src/diff/comparison.ts';
import { modeReasons } from '../../src/diff/mode-reasons.ts';
import { nodesToAsk } from '../../src/diff/nodes-to-ask.ts';
import { type Viewpoint, viewpointOf } from '../../src/diff/questions.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { NODE, objectsOf, PLANS, randomService } from '../differential/clusters.ts';

const SERVICE_CIDRS = ['10.96.0.0/12', 'fd00:10:96::/112'];
const MODE_PAIRS: readonly (readonly [ProxyMode, ProxyMode])[] = [
  ['iptables', 'nftables'],
  ['ipvs', 'nftables'],
  ['iptables', 'ipvs'],
  ['nftables', 'iptables'],
  ['nftables', 'ipvs'],
  ['ipvs', 'iptables'],
];

const cluster = createCluster({ ipFamilies: ['IPv4', 'IPv6'] });
cluster.apply(parseManifests(readFileSync('test/golden/cluster.yaml', 'utf8')));
const viewpoint = viewpointOf(cluster, 'node-1', ['192.168.0.11', 'fd00:192:168::11', '172.16.0.1']);

function inMode(mode: ProxyMode, nodePortAddresses: readonly string[] = []): Dataplane {
  const dataplane = createDataplaneSync({
    mode,
    engine: 'js',
    nodeName: viewpoint.node,
    nodeIPs: viewpoint.nodeAddresses,
    serviceCIDRs: SERVICE_CIDRS,
    config: { clusterCIDR: '10.244.0.0/16,fd00:10:244::/56', nodePortAddresses },
  });
  cluster.connect(dataplane);
  return dataplane;
}

function compare(from: ProxyMode, to: ProxyMode, before = inMode(from), after = inMode(to), at: Viewpoint = viewpoint): Comparison {
  return compareDataplanes([{ viewpoint: at, before, after }], { reasonFor: modeReasons(from, to), serviceCIDRs: SERVICE_CIDRS });
}

/** `effect reason: services`. */
function story({ findings }: Comparison): string[] {
  return findings.map(
    ({ effect, reason, services }) => `${effect} ${reason.id}: ${services.map(({ service }) => service).join(' ') || 'all'}`,
  );
}

describe('a node in two modes', () => {
  it('loses node ports on loopback and on further addresses from iptables to nftables', () => {
    expect(story(compare('iptables', 'nftables'))).toEqual([
      'lost node-port-addresses: default/web shop/front shop/remote',
      'lost loopback-node-port: default/web shop/front shop/remote',
      'refusal node-port-addresses: shop/empty shop/remote',
      'refusal loopback-node-port: shop/empty',
      'refusal unused-port: all',
      'refusal unassigned-address: all',
    ]);
  });

  it('loses what IPVS sends to other nodes under policy Local', () => {
    const comparison = compare('ipvs', 'nftables');
    expect(story(comparison)).toContain('lost local-without-endpoint spec.internalTrafficPolicy: shop/remote');
    expect(story(comparison)).toContain('lost local-without-endpoint spec.externalTrafficPolicy: shop/remote');
    const finding = comparison.findings.find(({ reason }) => reason.id === 'local-without-endpoint spec.internalTrafficPolicy');
    expect(finding?.reason).toMatchObject({
      title: 'internalTrafficPolicy Local without an endpoint here: dropped',
      field: 'spec.internalTrafficPolicy',
    });
    expect(finding?.services[0]?.changes).toMatchObject([
      {
        nodes: ['node-1'],
        servicePort: 'shop/remote:stream',
        destination: { kind: 'ClusterIP', address: '10.96.0.50', port: 5000 },
        clients: ['pod here', 'pod elsewhere'],
        before: [{ action: 'DNAT', backend: '10.244.2.9:5000', masquerade: false, probability: 1 }],
        after: [{ action: 'DROP', masquerade: false, probability: 1 }],
      },
      { clients: ['this node', 'another node', 'outside'], before: [{ masquerade: true }] },
    ]);
  });

  it('keeps its node ports where nodePortAddresses say the same for both', () => {
    const all = ['0.0.0.0/0', '::/0'];
    const { findings } = compare('iptables', 'nftables', inMode('iptables', all), inMode('nftables', all));
    expect(findings.map(({ reason }) => reason.id)).not.toContain('node-port-addresses');
  });

  it('does not change in the same mode', () => {
    for (const mode of ['iptables', 'ipvs', 'nftables'] as const) {
      expect(compare(mode, mode)).toMatchObject({ services: 4, changed: 0, findings: [] });
    }
  });
});

describe.each(MODE_PAIRS)('from %s to %s', (from, to) => {
  it('every change in random clusters has a reason, and a packet that shows it', () => {
    for (const family of ['IPv4', 'IPv6'] as const) {
      const plan = PLANS[family];
      const clients = [
        { kind: 'pod here', address: plan.pod(50) },
        { kind: 'this node', address: plan.node[0] ?? '' },
        { kind: 'outside', address: plan.outside[0] ?? '' },
        { kind: 'another node', address: plan.outside[1] ?? '' },
      ] as const;
      const at = { node: NODE, nodeAddresses: plan.node, clients: { IPv4: clients, IPv6: clients } };
      const services = fc.array(randomService(true), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(services, (all) => {
          const open = (mode: ProxyMode) => {
            const config = { clusterCIDR: plan.podCIDR };
            const dataplane = createDataplaneSync({ mode, engine: 'js', nodeName: NODE, nodeIPs: plan.node, config });
            dataplane.apply(all.flatMap((service, index) => objectsOf(index, service, plan)));
            return dataplane;
          };
          const [before, after] = [open(from), open(to)];
          for (const { reason, effect, services: changed, forAll } of compare(from, to, before, after, at).findings) {
            expect(reason).not.toMatchObject({ id: 'other' });
            for (const { witness } of [...changed.flatMap(({ changes }) => changes), ...forAll]) {
              expect(effectOf(answerOf(before.explain(witness)), answerOf(after.explain(witness)))).toBe(effect);
            }
          }
        }),
        { numRuns: 6 },
      );
    }
  });
});

describe('the nodes to ask', () => {
  it('are the first, and those that see a policy Local with and without an endpoint', () => {
    expect(nodesToAsk(cluster)).toEqual(['node-1', 'node-3', 'node-2']);
  });

  it('are the first alone where no policy is Local', () => {
    const plain = createCluster();
    plain.apply(parseManifests('{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}'));
    expect(nodesToAsk(plain)).toEqual(['node-1']);
  });
});
