import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/api/config.ts';
import { parseDuration } from '../../src/api/duration.ts';
import { readNode } from '../../src/api/node.ts';
import { settleConfig } from '../../src/api/settings.ts';
import type { KubeProxyConfiguration } from '../../src/api/types.ts';
import { compileOptionsFor } from '../../src/compile/node-options.ts';
import type { ProxyMode } from '../../src/packet.ts';

const header = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n';

describe('a configuration file', () => {
  test('is read from among the documents of a kubeadm file', () => {
    expect(parseConfig(`kind: ClusterConfiguration\n---\n${header}mode: nftables\n`).mode).toBe('nftables');
  });

  test('as kubeadm prints it, full of nulls and empty texts, gives the defaults', () => {
    const config = parseConfig(
      `${header}mode: ""\nhostnameOverride: ""\nclusterCIDR: ""\ndetectLocalMode: ""\ndetectLocal: {bridgeInterface: "", interfaceNamePrefix: ""}\nnodePortAddresses: null\niptables: {masqueradeBit: null, masqueradeAll: false, localhostNodePorts: null}\nipvs: {scheduler: ""}\nconntrack: {maxPerCore: null, min: null, tcpCloseWaitTimeout: null, tcpEstablishedTimeout: null}\n`,
    );
    expect(settleConfig({ config })).toEqual(settleConfig());
  });

  test('of another kind is refused', () => {
    expect(() => parseConfig('kind: KubeletConfiguration\n', 'c.yaml')).toThrow(
      'c.yaml:1:7: is no KubeProxyConfiguration, found "KubeletConfiguration"',
    );
    expect(() => parseConfig('', 'c.yaml')).toThrow('c.yaml: is no KubeProxyConfiguration, found nothing');
  });

  test.each([
    ['c.yaml:3:7: kubeproxyconfiguration c.yaml: mode "ebpf" is not one of iptables, ipvs, nftables', 'mode: ebpf'],
    ['c.yaml:3:27: kubeproxyconfiguration c.yaml: iptables.masqueradeBit 32 is outside 0-31', 'iptables: {masqueradeBit: 32}'],
    ['c.yaml:3:21: kubeproxyconfiguration c.yaml: nodePortAddresses[0] "here" is not a CIDR', 'nodePortAddresses: [here]'],
    ['c.yaml:1:1: kubeproxyconfiguration c.yaml: detectLocal.bridgeInterface is missing', 'detectLocalMode: BridgeInterface'],
    ['c.yaml:3:14: kubeproxyconfiguration c.yaml: clusterCIDR "10.0.0.0/8,x" is not a CIDR', 'clusterCIDR: 10.0.0.0/8,x'],
    [
      'c.yaml:3:25: kubeproxyconfiguration c.yaml: conntrack.udpTimeout "soon" is not a duration such as 1h0m0s',
      'conntrack: {udpTimeout: soon}',
    ],
  ])('%s', (message, field) => {
    expect(() => parseConfig(`${header}${field}\n`, 'c.yaml')).toThrow(expect.objectContaining({ name: 'InvalidObjectError', message }));
  });
});

describe('settings', () => {
  test('an option beside the configuration wins', () => {
    const config: KubeProxyConfiguration = { mode: 'ipvs', hostnameOverride: ' Node-1 ' };
    expect(settleConfig({ config })).toMatchObject({ mode: 'ipvs', nodeName: 'node-1' });
    expect(settleConfig({ config, mode: 'nftables', nodeName: 'n2' })).toMatchObject({ mode: 'nftables', nodeName: 'n2' });
  });

  test('masquerade comes from the section of the mode; IPVS uses that of iptables', () => {
    const config = { iptables: { masqueradeAll: true, masqueradeBit: 31 }, nftables: { masqueradeBit: 0 } };
    expect(settleConfig({ config, mode: 'ipvs' })).toMatchObject({ masqueradeAll: true, masqueradeMark: 0x80000000 });
    expect(settleConfig({ config, mode: 'nftables' })).toMatchObject({ masqueradeAll: false, masqueradeMark: 1 });
    expect(settleConfig().masqueradeMark).toBe(0x4000);
  });

  test('timeouts: an explicit sysctl wins over kube-proxy, kube-proxy over the kernel, 0 leaves the kernel alone', () => {
    const established = 'net.netfilter.nf_conntrack_tcp_timeout_established';
    const settled = (config: KubeProxyConfiguration, sysctls = {}): number => settleConfig({ config, sysctls }).timeouts.tcpEstablished;
    expect(settled({})).toBe(86400);
    expect(settled({ conntrack: { tcpEstablishedTimeout: '1h0m30s' } })).toBe(3630);
    expect(settled({ conntrack: { tcpEstablishedTimeout: '0s' } })).toBe(432000);
    expect(settled({ conntrack: { tcpEstablishedTimeout: '1h' } }, { [established]: 77 })).toBe(77);
  });

  test('what the kernel and host can do has its defaults', () => {
    expect(settleConfig()).toMatchObject({ randomFully: true, nfacct: false, tcpBeLiberal: false, tcpLoose: true, conntrackMax: 262144 });
    expect(
      settleConfig({ sysctls: { 'net.netfilter.nf_conntrack_tcp_be_liberal': 1, 'net.netfilter.nf_conntrack_tcp_loose': 0 } }),
    ).toMatchObject({
      tcpBeLiberal: true,
      tcpLoose: false,
    });
  });

  test('unknown feature gates are ignored', () => {
    const { features } = settleConfig({ config: { featureGates: { LoadBalancerIPMode: false, SomethingElse: true } } });
    expect(features).toEqual({ loadBalancerIPMode: false, preferSameTrafficDistribution: true });
  });

  test.each([
    ['mode "ebpf" is not one of iptables, ipvs, nftables', { mode: 'ebpf' as ProxyMode }],
    ['config.mode "userspace" is not one of iptables, ipvs, nftables', { config: { mode: 'userspace' } }],
    ['nodeIPs[0] "n1" is not an IP address', { nodeIPs: ['n1'] }],
    ['serviceCIDRs[0] "10.96.0.0" is not a CIDR', { serviceCIDRs: ['10.96.0.0'] }],
    ['sysctls "net.core.somaxconn" is not one of net.netfilter.nf_conntrack_* or net.ipv4.vs.*', { sysctls: { 'net.core.somaxconn': 1 } }],
  ])('%s', (message, options) => {
    expect(() => settleConfig(options)).toThrow(expect.objectContaining({ name: 'InvalidArgumentError', message }));
  });
});

describe('the options of a family', () => {
  const node = readNode({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1' },
    spec: { podCIDRs: ['10.244.1.0/24', 'fd01::/64'] },
    status: {
      addresses: [
        { type: 'InternalIP', address: '192.168.0.1' },
        { type: 'InternalIP', address: 'fd00::1' },
      ],
    },
  });

  test('have the first cluster CIDR of the family, or no detector', () => {
    const settings = settleConfig({ config: { clusterCIDR: '10.244.0.0/16,10.1.0.0/16' } });
    expect(compileOptionsFor(settings, 'IPv4').localDetector).toEqual({ kind: 'prefix', prefix: '10.244.0.0/16' });
    expect(compileOptionsFor(settings, 'IPv6').localDetector).toBeUndefined();
  });

  test.each([
    ['NodeCIDR', {}, { kind: 'prefix', prefix: 'fd01::/64' }],
    ['BridgeInterface', { bridgeInterface: 'cni0' }, { kind: 'bridge', name: 'cni0' }],
    ['InterfaceNamePrefix', { interfaceNamePrefix: 'veth' }, { kind: 'interfacePrefix', prefix: 'veth' }],
  ])('detect local traffic by %s', (detectLocalMode, detectLocal, detector) => {
    const settings = settleConfig({ config: { detectLocalMode, detectLocal } });
    expect(compileOptionsFor(settings, 'IPv6', node).localDetector).toEqual(detector);
  });

  test('have the addresses of the Node unless nodeIPs names others', () => {
    expect(compileOptionsFor(settleConfig(), 'IPv4', node).nodeAddresses).toEqual(['192.168.0.1']);
    expect(compileOptionsFor(settleConfig({ nodeIPs: ['10.9.9.9', 'fd00::9'] }), 'IPv4', node).nodeAddresses).toEqual(['10.9.9.9']);
    expect(compileOptionsFor(settleConfig({ nodeIPs: [] }), 'IPv4', node).nodeAddresses).toEqual([]);
  });
});

test.each([
  ['1h0m0s', 3600],
  ['24h', 86400],
  ['1.5h', 5400],
  ['500ms', 0.5],
  ['0', 0],
  ['10', undefined],
  ['1 h', undefined],
  ['', undefined],
])('the duration %j is %s seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

describe('the section ipvs', () => {
  test('has kube-proxy defaults: rr, the kernel timeouts, no strict ARP', () => {
    expect(settleConfig().ipvs).toEqual({ scheduler: 'rr', strictARP: false, timeouts: { tcp: 0, tcpfin: 0, udp: 0 } });
    expect(settleConfig({ config: { ipvs: { scheduler: '' } } }).ipvs.scheduler).toBe('rr');
  });

  test('takes the schedulers that kube-proxy takes, and durations', () => {
    const ipvs = { scheduler: 'mh', strictARP: true, tcpTimeout: '15m', tcpFinTimeout: '30s', udpTimeout: '0s' };
    expect(settleConfig({ config: { ipvs } }).ipvs).toEqual({
      scheduler: 'mh',
      strictARP: true,
      timeouts: { tcp: 900, tcpfin: 30, udp: 0 },
    });
  });

  test('refuses what is no CIDR among those that are excluded', () => {
    const config = { ipvs: { excludeCIDRs: ['192.0.2.0/24', '192.0.2.300'] } };
    expect(() => settleConfig({ config })).toThrow('config.ipvs.excludeCIDRs[1] "192.0.2.300" is not a CIDR');
  });

  test.each(['fo', 'ovf', 'twos', 'fastest'])('refuses scheduler %s, as kube-proxy does, with those it takes', (scheduler) => {
    expect(() => settleConfig({ config: { ipvs: { scheduler } } })).toThrow(
      /config\.ipvs\.scheduler .*rr, wrr, lc, wlc, lblc, lblcr, sh, dh, sed, nq, mh/,
    );
  });
});
