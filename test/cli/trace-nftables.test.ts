// `svcplane trace --mode nftables`: the way of a packet in plain words, though the rules are nft's.
import { describe, expect, it } from 'vitest';
import { svcplane } from './command.ts';

const trace = (...argv: string[]) =>
  svcplane(['trace', '-f', 'test/golden/cluster.yaml', '--mode', 'nftables', '--node', 'node-1', ...argv]);

const SERVICE = '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}';

describe('svcplane trace in nftables mode', () => {
  it('tells lookups, policies and backends in plain words', async () => {
    const { stdout } = await trace('--from', '203.0.113.10', '--to', '198.51.100.30:443');
    expect(stdout).toMatch(/kube-proxy services #1 +address and port are looked up among those of all Services\n/);
    expect(stdout).toMatch(/external-\S+ #4 +external traffic policy Local: only endpoints on this node, and the source stays\n/);
    expect(stdout).toMatch(/endpoint-\S+ #2 +the destination becomes 10\.244\.1\.8:8443\n/);
    expect(stdout).not.toContain('counted, nothing else');
  });

  it('tells why a client outside the source ranges is dropped', async () => {
    const { stdout } = await trace('--from', '203.0.113.200', '--to', '198.51.100.30:443');
    expect(stdout).toMatch(/firewall-\S+ #1 +the source is in none of the loadBalancerSourceRanges of shop\/front: dropped\n/);
  });

  it('prints the rules as nft does', async () => {
    const { stdout } = await trace('--from', '203.0.113.10', '--to', '192.168.0.11:30080', '-v');
    expect(stdout).toContain('ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports\n');
    expect(stdout).toMatch(/chance picks one of the endpoints \(50%\)\n +numgen random mod 2 vmap \{ 0 : goto endpoint-/);
    expect(stdout).toContain('meta mark set meta mark ^ 0x00004000\n');
  });

  it('drops what goes to an address in the range of a ServiceCIDR that no Service has', async () => {
    const range = '{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: kubernetes}, spec: {cidrs: [10.43.0.0/16]}}';
    const argv = ['trace', '-f', '-', '--mode', 'nftables', '--from', '10.244.0.9', '--to', '10.43.7.7:80'];
    const { stdout } = await svcplane(argv, { stdin: `${range}\n---\n${SERVICE}` });
    expect(stdout).toMatch(/^10\.244\.0\.9:40000 → 10\.43\.7\.7:80\/TCP in nftables mode on node-1: DROP/);
  });
});
