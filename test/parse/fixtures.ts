// The dumps of this folder. Those of flannel and Docker are what iptables 1.8.9 printed, with and without counters, for the rules of the
// small golden cluster with a CNI's, Docker's and an operator's own around them; Calico's and Cilium's are written after a node's.
import { readFileSync } from 'node:fs';

export function readFixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
}

export const FLANNEL_DOCKER = 'flannel-docker.legacy.txt';
export const FLANNEL_DOCKER_COUNTERS = 'flannel-docker.counters.txt';
export const KUBE_PROXY_IPV6 = 'kube-proxy.ipv6.txt';
export const CALICO = 'calico.txt';
export const CALICO_SETS = 'calico.ipset.txt';
export const CILIUM = 'cilium.txt';
export const CILIUM_SETS = 'cilium.ipset.txt';

/** One table filter with these lines in it, FORWARD declared. */
export function filterTable(...lines: readonly string[]): string {
  return ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
}
