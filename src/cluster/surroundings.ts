// What a set of objects takes for granted about its cluster: families, Service CIDRs, Pod CIDRs. Read from objects that come from an
// API server, else the usual ones.
import { type Family, type Prefix, parseAddress, parsePrefix, prefixContains } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import { clusterIPsOf } from './allocation.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';
import { fieldsOf, textsOf } from './fields.ts';
import { nodePodCIDRs } from './nodes.ts';

const DEFAULT_CIDRS: readonly { readonly family: Family; readonly services: string; readonly pods: string }[] = [
  { family: 'IPv4', services: '10.96.0.0/12', pods: '10.244.0.0/16' },
  { family: 'IPv6', services: 'fd00:10:96::/112', pods: 'fd00:10:244::/56' },
];

/** What a person says about the cluster wins over what its objects show. */
export interface GivenSurroundings {
  readonly podCIDRs?: readonly string[];
  readonly serviceCIDRs?: readonly string[];
  readonly namespace?: string;
}

/** Families and Service CIDRs as given, else as objects that come from an API server show them; `onNote` hears of guesses. */
export function surroundingsOf(
  objects: readonly KubernetesObject[],
  given: GivenSurroundings,
  onNote: (text: string) => void,
): ClusterOptions {
  const { podCIDRs, namespace } = given;
  const ipFamilies = familiesOf(objects, [...(given.serviceCIDRs ?? []), ...(podCIDRs ?? [])]);
  const serviceCIDRs = given.serviceCIDRs ?? serviceCIDRsOf(objects, ipFamilies, onNote);
  return {
    ipFamilies,
    serviceCIDRs,
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function familiesOf(objects: readonly KubernetesObject[], cidrs: readonly string[]): Family[] {
  const named = objects.flatMap((object) => {
    const spec = fieldsOf(object.spec);
    if (object.kind === 'Node') return nodePodCIDRs(object);
    if (object.kind === 'ServiceCIDR') return textsOf(spec.cidrs);
    return object.kind === 'Service' ? [...textsOf(spec.ipFamilies), ...clusterIPsOf(spec)] : [];
  });
  const families = [...named, ...cidrs].map((text) => (text.includes(':') || text === 'IPv6' ? 'IPv6' : 'IPv4'));
  const wantsBoth = objects.some((object) => object.kind === 'Service' && /DualStack/.test(String(fieldsOf(object.spec).ipFamilyPolicy)));
  if (wantsBoth || (families.includes('IPv6') && families.includes('IPv4')))
    return families[0] === 'IPv6' ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6'];
  return [families[0] ?? 'IPv4'];
}

/** What ServiceCIDR objects say, else the usual. Services that an API server has admitted may show more; those of a plain manifest must keep to it. */
function serviceCIDRsOf(objects: readonly KubernetesObject[], families: readonly Family[], onNote: (text: string) => void): string[] {
  const admitted = objects.filter(
    (object) => object.kind === 'Service' && (object.metadata.uid ?? object.metadata.resourceVersion) !== undefined,
  );
  const addresses = admitted.flatMap((service) => clusterIPsOf(fieldsOf(service.spec)));
  const named = objects.flatMap((object) => (object.kind === 'ServiceCIDR' ? textsOf(fieldsOf(object.spec).cidrs) : []));
  return DEFAULT_CIDRS.filter(({ family }) => families.includes(family)).map(({ family, services }) => {
    const usual = named.find((cidr) => parsePrefix(cidr)?.family === family) ?? services;
    const wider = covering(usual, family, addresses, family === 'IPv4' ? 16 : 108);
    if (wider !== usual)
      onNote(`Service addresses lie outside ${usual}: taking ${wider} as the Service CIDR (--service-cidr says otherwise)`);
    return wider;
  });
}

/** `usual` when all addresses of the family lie in it, else the longest prefix, at most `length`, that holds them all. */
function covering(usual: string, family: Family, addresses: readonly string[], length: number): string {
  const own = addresses.map((text) => parsePrefix(text)).filter((prefix) => prefix?.family === family);
  const inside = (cidr: Prefix | undefined) => own.every((prefix) => prefix === undefined || contains(cidr, prefix));
  if (inside(parsePrefix(usual))) return usual;
  for (let bits = length; bits >= 0; bits--) {
    const cidr = parsePrefix(`${addressOfPrefix(own[0])}/${bits}`);
    if (cidr !== undefined && inside(cidr)) return cidr.text;
  }
  return usual;
}

function contains(cidr: Prefix | undefined, inner: Prefix): boolean {
  const address = parseAddress(addressOfPrefix(inner));
  return cidr !== undefined && address !== undefined && cidr.length <= inner.length && prefixContains(cidr, address);
}

function addressOfPrefix(prefix: Prefix | undefined): string {
  return prefix?.text.split('/')[0] ?? '';
}

/** The CIDR of all Pods, one for each family: the usual one, or whatever holds the pod CIDRs of all Nodes. */
export function podCIDRsOf(cluster: Cluster): string[] {
  const cidrs = cluster.objects('Node').flatMap(nodePodCIDRs);
  return DEFAULT_CIDRS.flatMap(({ family, pods }) => {
    const own = cidrs.filter((cidr) => parsePrefix(cidr)?.family === family);
    return own.length === 0 ? [] : [covering(pods, family, own, family === 'IPv4' ? 24 : 64)];
  });
}
