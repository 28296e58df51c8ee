// The cluster that the DNS benchmark serves, and what it is asked.
import { encode } from 'dns-packet';
import type { KubernetesObject } from 'svcplane';

export const SERVICE_COUNT = 10_000;
export const SMOKE_SERVICE_COUNT = 100;
export const ENDPOINTS_PER_SERVICE = 10;
const SERVICES_PER_NAMESPACE = 100;
/** One in this many Services is headless. */
const HEADLESS_EVERY = 4;
const QUERY_COUNT = 20_000;

/** Services by turns with a cluster IP and headless, each with one slice. */
export function dnsObjects(serviceCount: number): KubernetesObject[] {
  const namespaces = Array.from({ length: Math.ceil(serviceCount / SERVICES_PER_NAMESPACE) }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `ns-${index}` },
  }));
  const services = Array.from({ length: serviceCount }, (_, index) => [serviceOf(index), sliceOf(index)]);
  return [...namespaces, ...services.flat()];
}

function serviceOf(index: number): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `svc-${index}`, namespace: namespaceOf(index) },
    spec: {
      clusterIP: isHeadless(index) ? 'None' : `10.96.${index >> 8}.${index & 255}`,
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    },
  };
}

/** @param readyCount endpoints that are ready */
export function sliceOf(index: number, readyCount = ENDPOINTS_PER_SERVICE): KubernetesObject {
  const endpoints = Array.from({ length: ENDPOINTS_PER_SERVICE }, (_, at) => {
    const number = index * ENDPOINTS_PER_SERVICE + at;
    return {
      addresses: [`10.${128 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`],
      conditions: { ready: at < readyCount },
      hostname: `pod-${at}`,
    };
  });
  const service = `svc-${index}`;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-slice`, namespace: namespaceOf(index), labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
}

/** Names all over the cluster: Services, single endpoints and ports by turns. */
export function dnsQueries(serviceCount: number): Buffer[] {
  return Array.from({ length: QUERY_COUNT }, (_, id) => {
    // A stride that is prime to the count: no two neighbours are near each other.
    const index = (id * 7919) % serviceCount;
    const service = `svc-${index}.${namespaceOf(index)}.svc.cluster.local`;
    const kind = id % 10;
    const question =
      kind === 0
        ? ({ type: 'SRV', name: `_http._tcp.${service}` } as const)
        : ({ type: 'A', name: kind === 1 ? `pod-3.${service}` : service } as const);
    const additionals = [
      {
        type: 'OPT' as const,
        name: '.' as const,
        udpPayloadSize: 1232,
        flags: 0,
        flag_do: false,
        extendedRcode: 0,
        ednsVersion: 0,
        options: [],
      },
    ];
    return encode({ type: 'query', id: id & 0xffff, flags: 0x100, questions: [question], additionals });
  });
}

function namespaceOf(index: number): string {
  return `ns-${Math.floor(index / SERVICES_PER_NAMESPACE)}`;
}

function isHeadless(index: number): boolean {
  return index % HEADLESS_EVERY === 0;
}
