// Target ports that Pods do not have, or that their containers do not list, and Service ports that no slice carries.
import type { KubernetesObject } from '../api/types.ts';
import { targetPort } from '../cluster/endpoint-slices.ts';
import { type Fields, fieldsOf, listOf, textOf } from '../cluster/fields.ts';
import { containersOf } from '../cluster/pods.ts';
import { editDistance } from '../edit-distance.ts';
import type { Issue } from './finding.ts';
import type { Scene, ServiceFacts } from './scene.ts';
import { listed } from './words.ts';

interface ContainerPort {
  readonly name: string;
  readonly number: number;
  readonly protocol: string;
}

export function checkTargetPorts({ services }: Scene): Issue[] {
  return services.flatMap((facts) => listOf(facts.spec.ports).flatMap((entry, index) => portIssues(facts, fieldsOf(entry), index)));
}

function portIssues(facts: ServiceFacts, port: Fields, index: number): Issue[] {
  const { service, pods, slices, endpoints } = facts;
  if (pods.length > 0 && typeof port.targetPort === 'string')
    return namedPortIssues(service, pods, port, `spec.ports[${index}].targetPort`);
  if (pods.length > 0) return undeclaredIssues(service, pods, port, `spec.ports[${index}]`);
  const name = textOf(port.name);
  const isCarried = slices.some((slice) => listOf(slice.ports).some((each) => textOf(fieldsOf(each).name) === name));
  if (endpoints.length === 0 || isCarried) return [];
  const carried = [...new Set(slices.flatMap((slice) => listOf(slice.ports).map((each) => textOf(fieldsOf(each).name))))];
  return [
    {
      rule: 'port-without-endpoints',
      object: service,
      path: `spec.ports[${index}]`,
      reason: `its EndpointSlices have no port ${nameWords(name)}, so nothing stands behind port ${String(port.port)}`,
      remedy: `name the ports alike: the slices have ${listed(carried.map(nameWords)) || 'no ports at all'}`,
    },
  ];
}

function namedPortIssues(service: KubernetesObject, pods: readonly KubernetesObject[], port: Fields, path: string): Issue[] {
  const lacking = pods.filter((pod) => targetPort(port, pod) === undefined);
  if (lacking.length === 0) return [];
  const name = String(port.targetPort);
  const protocol = textOf(port.protocol) || 'TCP';
  const ports = distinct(lacking.flatMap(containerPorts));
  const isAll = lacking.length === pods.length;
  const names = listed(lacking.map(({ metadata }) => metadata.name));
  return [
    {
      rule: isAll ? 'target-port-unknown' : 'target-port-missing',
      object: service,
      path,
      reason: isAll
        ? `no Pod it selects has a ${protocol} port named ${name}, so port ${String(port.port)} has no endpoints`
        : `${lacking.length} of ${pods.length} Pods have no ${protocol} port named ${name} and get nothing from port ${String(port.port)}: ${names}`,
      remedy: portRemedy(name, protocol, ports),
    },
  ];
}

/** A list of ports is information only, but where there is one, a number that is not in it is mostly a mistake. */
function undeclaredIssues(service: KubernetesObject, pods: readonly KubernetesObject[], port: Fields, path: string): Issue[] {
  const protocol = textOf(port.protocol) || 'TCP';
  const number = Number(port.targetPort ?? port.port);
  const ports = distinct(pods.flatMap(containerPorts));
  if (ports.length === 0 || ports.some((each) => each.number === number && each.protocol === protocol)) return [];
  const words = ports.map((each) => `${each.number}/${each.protocol}${each.name === '' ? '' : ` named ${each.name}`}`);
  const meant = ports.find((each) => each.number === number);
  return [
    {
      rule: 'target-port-undeclared',
      object: service,
      path: port.targetPort === undefined ? `${path}.port` : `${path}.targetPort`,
      reason: `no container behind it lists port ${number}/${protocol} (they list ${listed(words)}): if nothing listens there, connections are refused`,
      remedy:
        meant === undefined
          ? `write targetPort: ${ports[0]?.name || ports[0]?.number}, or list ${number} if the program does listen there`
          : `${number} is a port of ${meant.protocol} there: say protocol: ${meant.protocol}`,
    },
  ];
}

function portRemedy(name: string, protocol: string, ports: readonly ContainerPort[]): string {
  const otherProtocol = ports.find((port) => port.name === name && port.protocol !== protocol);
  if (otherProtocol !== undefined)
    return `${name} is a port of ${otherProtocol.protocol} there: say protocol: ${otherProtocol.protocol}, or change the container`;
  const named = ports.filter((port) => port.name !== '').sort((a, b) => editDistance(name, a.name) - editDistance(name, b.name));
  const known = ports.map((port) => `${port.number}${port.name === '' ? ' without a name' : ` named ${port.name}`}`);
  const [nearest] = named;
  if (nearest !== undefined) return `write targetPort: ${nearest.name} (the containers have ${listed(known)})`;
  return ports.length > 0
    ? `write the number, or name the container port (the containers have ${listed(known)})`
    : 'the containers list no ports: give one this name under ports, or write the number';
}

function containerPorts(pod: KubernetesObject): ContainerPort[] {
  return containersOf(pod)
    .flatMap((container) => listOf(container.ports).map(fieldsOf))
    .map((port) => ({ name: textOf(port.name), number: Number(port.containerPort), protocol: textOf(port.protocol) || 'TCP' }));
}

function distinct(ports: readonly ContainerPort[]): ContainerPort[] {
  return [...new Map(ports.map((port) => [`${port.name} ${port.number} ${port.protocol}`, port])).values()];
}

function nameWords(name: string): string {
  return name === '' ? 'without a name' : `named ${name}`;
}
