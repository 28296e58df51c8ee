// The columns of `kubectl get`, kind by kind, as its printers write them.
import { parseAddress } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Fields, fieldsOf, labelsOf, listOf, textOf, textsOf } from '../cluster/fields.ts';
import { isReady, isTerminating, podIPs, podNode, podPhase } from '../cluster/pods.ts';

const NONE = '<none>';
const UNKNOWN = '<unknown>';
const UNSET = '<unset>';
const LISTED_MAX = 3;
/** kubectl's loadBalancerStatusWidth. */
const INGRESS_WIDTH = 16;
const ROLE_LABEL = 'node-role.kubernetes.io/';

export interface Columns {
  readonly header: readonly string[];
  /** Behind the others with `-o wide`. */
  readonly wideHeader: readonly string[];
  row(object: KubernetesObject, nowMs: number): readonly string[];
  wideRow(object: KubernetesObject): readonly string[];
}

export const COLUMNS: Readonly<Record<'Service' | 'Endpoints' | 'EndpointSlice' | 'Pod' | 'Node', Columns>> = {
  Service: {
    header: ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'],
    wideHeader: ['SELECTOR'],
    row: (service, nowMs) => {
      const spec = fieldsOf(service.spec);
      const clusterIP = textOf(spec.clusterIP) || NONE;
      return [service.metadata.name, textOf(spec.type), clusterIP, externalIP(service, false), ports(spec), age(service, nowMs)];
    },
    wideRow: (service) => [pairs(fieldsOf(service.spec).selector)],
  },
  Endpoints: {
    header: ['NAME', 'ENDPOINTS', 'AGE'],
    wideHeader: [],
    row: (endpoints, nowMs) => {
      // Who has addresses that are not ready, and no other, is shown without any.
      const nobody = listOf(endpoints.subsets).length === 0 ? NONE : '';
      return [endpoints.metadata.name, shortened(endpointTexts(endpoints), nobody), age(endpoints, nowMs)];
    },
    wideRow: () => [],
  },
  EndpointSlice: {
    header: ['NAME', 'ADDRESSTYPE', 'PORTS', 'ENDPOINTS', 'AGE'],
    wideHeader: [],
    row: (slice, nowMs) => {
      const numbers = listOf(slice.ports).map((port) => String(fieldsOf(port).port ?? '*'));
      const addresses = listOf(slice.endpoints).flatMap((endpoint) => textsOf(fieldsOf(endpoint).addresses));
      return [slice.metadata.name, textOf(slice.addressType), shortened(numbers, UNSET), shortened(addresses, UNSET), age(slice, nowMs)];
    },
    wideRow: () => [],
  },
  Pod: {
    header: ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
    wideHeader: ['IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES'],
    row: (pod, nowMs) => {
      const count = listOf(fieldsOf(pod.spec).containers).length;
      const statuses = listOf(fieldsOf(pod.status).containerStatuses).map(fieldsOf);
      const ready = statuses.length > 0 ? statuses.filter((each) => each.ready === true).length : isReady(pod) ? count : 0;
      const restarts = statuses.reduce((sum, each) => sum + Number(each.restartCount ?? 0), 0);
      return [
        pod.metadata.name,
        `${ready}/${count}`,
        isTerminating(pod) ? 'Terminating' : podPhase(pod),
        String(restarts),
        age(pod, nowMs),
      ];
    },
    wideRow: (pod) => [podIPs(pod)[0] ?? NONE, podNode(pod) || NONE, NONE, NONE],
  },
  Node: {
    header: ['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION'],
    wideHeader: ['INTERNAL-IP', 'EXTERNAL-IP', 'OS-IMAGE', 'KERNEL-VERSION', 'CONTAINER-RUNTIME'],
    row: (node, nowMs) => {
      const roles = Object.keys(labelsOf(node.metadata.labels)).filter((label) => label.startsWith(ROLE_LABEL));
      const status = `${isReady(node) ? 'Ready' : 'NotReady'}${fieldsOf(node.spec).unschedulable === true ? ',SchedulingDisabled' : ''}`;
      const names = roles.map((label) => label.slice(ROLE_LABEL.length)).sort();
      return [node.metadata.name, status, names.join(',') || NONE, age(node, nowMs), nodeInfo(node, 'kubeletVersion')];
    },
    wideRow: (node) => {
      const addresses = listOf(fieldsOf(node.status).addresses).map(fieldsOf);
      const ofType = (type: string) => textOf(addresses.find((each) => each.type === type)?.address) || NONE;
      const info = ['osImage', 'kernelVersion', 'containerRuntimeVersion'].map((field) => nodeInfo(node, field));
      return [ofType('InternalIP'), ofType('ExternalIP'), ...info];
    },
  },
};

function nodeInfo(node: KubernetesObject, field: string): string {
  return textOf(fieldsOf(fieldsOf(node.status).nodeInfo)[field]) || UNKNOWN;
}

function externalIP(service: KubernetesObject, isWide: boolean): string {
  const spec = fieldsOf(service.spec);
  const external = textsOf(spec.externalIPs);
  if (spec.type === 'ExternalName') return textOf(spec.externalName) || NONE;
  if (spec.type !== 'LoadBalancer') return external.join(',') || NONE;
  const ingress = listOf(fieldsOf(fieldsOf(service.status).loadBalancer).ingress).map(fieldsOf);
  const balanced = ingress.map((each) => textOf(each.ip) || textOf(each.hostname)).join(',');
  const shown = !isWide && balanced.length > INGRESS_WIDTH ? `${balanced.slice(0, INGRESS_WIDTH - 3)}...` : balanced;
  return [shown, ...external].filter((text) => text !== '').join(',') || '<pending>';
}

function ports(spec: Fields): string {
  const texts = listOf(spec.ports).map((entry) => {
    const { port, nodePort, protocol } = fieldsOf(entry);
    return nodePort ? `${String(port)}:${String(nodePort)}/${String(protocol)}` : `${String(port)}/${String(protocol)}`;
  });
  return texts.join(',') || NONE;
}

function pairs(selector: unknown): string {
  const entries = Object.entries(labelsOf(selector)).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `${key}=${value}`).join(',') || NONE;
}

/** `a,b,c + 7 more...` */
function shortened(texts: readonly string[], empty: string): string {
  if (texts.length === 0) return empty;
  const shown = texts.slice(0, LISTED_MAX).join(',');
  return texts.length > LISTED_MAX ? `${shown} + ${texts.length - LISTED_MAX} more...` : shown;
}

function endpointTexts(endpoints: KubernetesObject): string[] {
  return listOf(endpoints.subsets).flatMap((entry) => {
    const subset = fieldsOf(entry);
    const addresses = listOf(subset.addresses).map((address) => textOf(fieldsOf(address).ip));
    const numbers = listOf(subset.ports).map((port) => String(fieldsOf(port).port));
    if (numbers.length === 0) return addresses;
    return numbers.flatMap((number) =>
      addresses.map((ip) => (parseAddress(ip)?.family === 'IPv6' ? `[${ip}]:${number}` : `${ip}:${number}`)),
    );
  });
}

/** Objects that no API server has made have no age. */
function age(object: KubernetesObject, nowMs: number): string {
  const created = Date.parse(textOf(object.metadata.creationTimestamp));
  return Number.isNaN(created) ? UNKNOWN : humanDuration(Math.max(0, Math.floor((nowMs - created) / 1000)));
}

/** apimachinery's HumanDuration: two units at most, and fewer the older a thing is. */
export function humanDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const years = Math.floor(days / 365);
  const two = (large: number, unit: string, small: number, smallUnit: string) =>
    `${large}${unit}${small === 0 ? '' : `${small}${smallUnit}`}`;
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (years < 2) return `${days}d`;
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`;
}
