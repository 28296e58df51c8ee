// Addresses and ports that two objects claim, beyond what an API server already refuses.
import { parseAddress } from '../address.ts';
import { objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { clusterIPsOf } from '../cluster/allocation.ts';
import { fieldsOf, listOf, textOf, textsOf } from '../cluster/fields.ts';
import { isFinished, isHostNetwork, podIPs } from '../cluster/pods.ts';
import type { Issue } from './finding.ts';
import type { Scene, ServiceFacts } from './scene.ts';

interface Claim {
  readonly object: KubernetesObject;
  readonly path: string;
  readonly address: string;
}

export function checkClashes({ services, pods }: Scene): Issue[] {
  return [...services.flatMap((facts, index) => frontendIssues(facts, services.slice(0, index))), ...podIssues(pods)];
}

/** External IPs and load balancer addresses: one port of one address can lead to one Service only. */
function frontendIssues(facts: ServiceFacts, others: readonly ServiceFacts[]): Issue[] {
  const ports = portsOf(facts);
  return externalClaims(facts.service).flatMap(({ address, path }) => {
    const rival = others.find(
      (other) => addressesOf(other.service).includes(address) && [...portsOf(other)].some((port) => ports.has(port)),
    );
    if (rival === undefined) return [];
    const shared = [...portsOf(rival)].find((port) => ports.has(port)) ?? '';
    return [
      {
        rule: 'address-clash' as const,
        object: facts.service,
        path,
        reason: `${address} port ${shared} is also an address of Service ${rival.name}: only one of them gets the traffic`,
        remedy: 'give one of the two another address or another port',
      },
    ];
  });
}

function podIssues(pods: readonly KubernetesObject[]): Issue[] {
  const owners = new Map<string, KubernetesObject>();
  const issues: Issue[] = [];
  for (const pod of pods) {
    if (isFinished(pod) || isHostNetwork(pod)) continue;
    for (const ip of podIPs(pod)) {
      const rival = owners.get(ip);
      owners.set(ip, rival ?? pod);
      if (rival === undefined) continue;
      issues.push({
        rule: 'address-clash',
        object: pod,
        path: 'status.podIP',
        reason: `${ip} is also the address of Pod ${objectName(rival)}: one of them gets the packets of both`,
        remedy: 'restart one of them; if it comes back, the network plugin hands out addresses twice',
      });
    }
  }
  return issues;
}

function externalClaims(service: KubernetesObject): Claim[] {
  const external = textsOf(fieldsOf(service.spec).externalIPs).map((address, index) => ({ address, path: `spec.externalIPs[${index}]` }));
  const ingress = listOf(fieldsOf(fieldsOf(service.status).loadBalancer).ingress).map((entry, index) => ({
    address: textOf(fieldsOf(entry).ip),
    path: `status.loadBalancer.ingress[${index}].ip`,
  }));
  return [...external, ...ingress]
    .filter(({ address }) => address !== '')
    .map(({ address, path }) => ({ object: service, path, address: parseAddress(address)?.text ?? address }));
}

function addressesOf(service: KubernetesObject): string[] {
  const clusterIPs = clusterIPsOf(fieldsOf(service.spec)).map((text) => parseAddress(text)?.text ?? text);
  return [...externalClaims(service).map(({ address }) => address), ...clusterIPs];
}

/** `80/TCP` */
function portsOf({ spec }: ServiceFacts): Set<string> {
  return new Set(listOf(spec.ports).map((entry) => `${String(fieldsOf(entry).port)}/${textOf(fieldsOf(entry).protocol) || 'TCP'}`));
}
