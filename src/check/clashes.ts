// Addresses and ports that two objects claim, beyond what an API server already refuses.
import { parseAddress } from '../address.ts';
import { objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { clusterIPsOf } from '../cluster/allocation.ts';
import { type Fields, fieldsOf, listOf, textOf, textsOf } from '../cluster/fields.ts';
import { isFinished, isHostNetwork, podIPs } from '../cluster/pods.ts';
import type { Issue } from './finding.ts';
import type { Scene, ServiceFacts } from './scene.ts';

interface Claim {
  readonly path: string;
  readonly address: string;
}

export function checkClashes({ services, pods }: Scene): Issue[] {
  return [...frontendIssues(services), ...podIssues(pods)];
}

/** External IPs and load balancer addresses: one port of one address can lead to one Service only. */
function frontendIssues(services: readonly ServiceFacts[]): Issue[] {
  const owners = new Map<string, string>();
  for (const { spec, name } of services) {
    for (const address of clusterIPsOf(spec)) for (const port of portsOf(spec)) owners.set(frontend(canonical(address), port), name);
  }
  return services.flatMap(({ service, spec, name }) =>
    externalClaims(service).flatMap(({ address, path }): Issue[] => {
      const rivals = portsOf(spec).flatMap((port) => {
        const key = frontend(address, port);
        const owner = owners.get(key);
        owners.set(key, owner ?? name);
        return owner === undefined || owner === name ? [] : [{ owner, port }];
      });
      const [rival] = rivals;
      if (rival === undefined) return [];
      return [
        {
          rule: 'address-clash',
          object: service,
          path,
          reason: `${address} port ${rival.port} is also an address of Service ${rival.owner}: only one of them gets the traffic`,
          remedy: 'give one of the two another address or another port',
        },
      ];
    }),
  );
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
  const claims = [...external, ...ingress].filter(({ address }) => address !== '');
  return claims.map(({ address, path }) => ({ address: canonical(address), path }));
}

function canonical(address: string): string {
  return parseAddress(address)?.text ?? address;
}

/** `80/TCP` */
function portsOf(spec: Fields): string[] {
  return listOf(spec.ports).map((entry) => `${String(fieldsOf(entry).port)}/${textOf(fieldsOf(entry).protocol) || 'TCP'}`);
}

function frontend(address: string, port: string): string {
  return `${address} ${port}`;
}
