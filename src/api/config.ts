// KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1): the fields that shape a dataplane, checked and defaulted.
// settings.ts joins it with the options beside it.
import type { Family, Prefix } from '../address.ts';
import { didYouMean } from '../edit-distance.ts';
import { InvalidObjectError, ManifestError } from '../errors.ts';
import type { ProxyMode } from '../packet.ts';
import { parseDocuments } from './documents.ts';
import { parseDuration } from './duration.ts';
import { describe, Field, isRecord, problemMessage } from './fields.ts';
import type { KubeProxyConfiguration } from './types.ts';

/** `detectLocalMode` with what it needs: how traffic of local pods is told. */
export type DetectLocal =
  | { readonly mode: 'ClusterCIDR'; readonly prefixes: readonly Prefix[] }
  | { readonly mode: 'NodeCIDR' }
  | { readonly mode: 'BridgeInterface'; readonly name: string }
  | { readonly mode: 'InterfaceNamePrefix'; readonly prefix: string };

/** A KubeProxyConfiguration with its defaults. The sections of both modes stand beside each other: the mode picks one. */
export interface ProxyConfig {
  readonly mode: ProxyMode;
  /** As kube-proxy takes it: trimmed, lower case. Empty: not set. */
  readonly hostnameOverride: string;
  readonly detectLocal: DetectLocal;
  /** CIDRs in canonical text, or `primary` alone; empty: the mode's default. */
  readonly nodePortAddresses: readonly string[];
  readonly featureGates: Readonly<Record<string, boolean>>;
  readonly iptables: MasqueradeConfig;
  readonly nftables: MasqueradeConfig;
  readonly localhostNodePorts: boolean;
  readonly ipvs: IpvsConfig;
  readonly conntrack: ConntrackConfig;
}

export interface MasqueradeConfig {
  readonly masqueradeBit: number;
  readonly masqueradeAll: boolean;
}

/** The schedulers that kube-proxy's own validation lets through; ipvsadm knows fo, ovf and twos besides. */
export const IPVS_SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'sh', 'dh', 'sed', 'nq', 'mh'] as const;
export type IpvsSchedulerName = (typeof IPVS_SCHEDULERS)[number];

export interface IpvsConfig {
  readonly scheduler: IpvsSchedulerName;
  /** The node answers ARP for no address of kube-ipvs0. */
  readonly strictARP: boolean;
  /** Whole seconds, as of `ipvsadm --set`; 0 leaves the kernel's default. */
  readonly timeouts: { readonly tcp: number; readonly tcpfin: number; readonly udp: number };
}

/** Timeouts are whole seconds; 0 leaves the kernel's default. */
export interface ConntrackConfig {
  readonly tcpEstablishedTimeout: number;
  readonly tcpCloseWaitTimeout: number;
  readonly udpTimeout: number;
  readonly udpStreamTimeout: number;
  readonly tcpBeLiberal: boolean;
}

export const PROXY_MODES: readonly ProxyMode[] = ['iptables', 'ipvs', 'nftables'];

const CONFIG_KIND = 'KubeProxyConfiguration';
const SECTIONS = ['iptables', 'nftables', 'ipvs', 'conntrack'];
/** What is read, of all levels: other fields of kube-proxy's do not shape a dataplane. */
const READ_FIELDS = [
  ...SECTIONS,
  'mode',
  'hostnameOverride',
  'clusterCIDR',
  'detectLocalMode',
  'detectLocal',
  'nodePortAddresses',
  'featureGates',
  'masqueradeBit',
  'masqueradeAll',
  'localhostNodePorts',
  'scheduler',
  'strictARP',
  'excludeCIDRs',
  'tcpTimeout',
  'tcpFinTimeout',
  'tcpEstablishedTimeout',
  'tcpCloseWaitTimeout',
  'udpTimeout',
  'udpStreamTimeout',
  'tcpBeLiberal',
];
const MASQUERADE_BIT_DEFAULT = 14;
const TCP_ESTABLISHED_DEFAULT = 24 * 3600;
const TCP_CLOSE_WAIT_DEFAULT = 3600;
const NODE_PORTS_PRIMARY = 'primary';

/**
 * Reads a kube-proxy configuration file. Other documents beside it, as kubeadm's files have them, are passed over.
 *
 * @example
 * const config = parseConfig('{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: nftables}');
 *
 * @throws ManifestError when the text holds no KubeProxyConfiguration.
 * @throws InvalidObjectError when one of its fields is wrong.
 */
export function parseConfig(text: string, origin = '<input>'): KubeProxyConfiguration {
  const documents = parseDocuments(text, origin);
  for (const { value, place } of documents) {
    if (!isRecord(value) || value.kind !== CONFIG_KIND) continue;
    const refusal = (path: string, wrong: unknown, message: string): InvalidObjectError =>
      new InvalidObjectError({
        kind: CONFIG_KIND,
        object: origin,
        path,
        value: wrong,
        message: problemMessage(wrong, message),
        location: place.locate(path),
      });
    readConfig(new Field(value, refusal));
    return value as KubeProxyConfiguration;
  }
  const [first] = documents;
  const found = first !== undefined && isRecord(first.value) ? describe(first.value.kind) : 'nothing';
  throw new ManifestError(`is no ${CONFIG_KIND}, found ${found}`, first === undefined ? { origin } : first.place.locate('kind'));
}

/** The checked, defaulted form; an absent configuration gives kube-proxy's defaults. Throws what the cursor throws. */
export function readConfig(config: Field): ProxyConfig {
  const conntrack = config.at('conntrack');
  for (const fields of [config, ...SECTIONS.map((name) => config.at(name))]) refuseMisspelt(fields);
  return {
    mode: config.at('mode').unlessEmpty().oneOf(PROXY_MODES) ?? 'iptables',
    hostnameOverride: (config.at('hostnameOverride').text() ?? '').trim().toLowerCase(),
    detectLocal: readDetectLocal(config),
    nodePortAddresses: readNodePortAddresses(config.at('nodePortAddresses')),
    featureGates: Object.fromEntries(
      config
        .at('featureGates')
        .entries()
        .map(([name, gate]) => [name, gate.boolean() ?? false]),
    ),
    iptables: readMasquerade(config.at('iptables')),
    nftables: readMasquerade(config.at('nftables')),
    localhostNodePorts: config.at('iptables').at('localhostNodePorts').boolean() ?? true,
    ipvs: readIpvs(config.at('ipvs')),
    conntrack: {
      tcpEstablishedTimeout: readSeconds(conntrack.at('tcpEstablishedTimeout')) ?? TCP_ESTABLISHED_DEFAULT,
      tcpCloseWaitTimeout: readSeconds(conntrack.at('tcpCloseWaitTimeout')) ?? TCP_CLOSE_WAIT_DEFAULT,
      udpTimeout: readSeconds(conntrack.at('udpTimeout')) ?? 0,
      udpStreamTimeout: readSeconds(conntrack.at('udpStreamTimeout')) ?? 0,
      tcpBeLiberal: conntrack.at('tcpBeLiberal').boolean() ?? false,
    },
  };
}

/** Refuses a field that is spelled nearly as one that is read. */
function refuseMisspelt(fields: Field): void {
  for (const [name] of fields.entries()) {
    const meant = didYouMean(name, READ_FIELDS);
    if (meant !== '') throw fields.at(name).invalid(`is unknown${meant}`);
  }
}

/** The first CIDR of each family that a comma-separated `clusterCIDR` names. */
function readClusterCIDR(field: Field): Prefix[] {
  const texts = (field.text() ?? '').split(',').map((text) => text.trim());
  const byFamily = new Map<Family, Prefix>();
  for (const text of texts) {
    if (text === '') continue;
    const prefix = new Field(text, (_path, _value, message) => field.invalid(message)).prefix();
    if (prefix !== undefined && !byFamily.has(prefix.family)) byFamily.set(prefix.family, prefix);
  }
  return [...byFamily.values()];
}

function readDetectLocal(config: Field): DetectLocal {
  const prefixes = readClusterCIDR(config.at('clusterCIDR'));
  const bridge = config.at('detectLocal').at('bridgeInterface').unlessEmpty();
  const interfacePrefix = config.at('detectLocal').at('interfaceNamePrefix').unlessEmpty();
  const name = bridge.text();
  const prefix = interfacePrefix.text();
  const modes = ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'] as const;
  const mode = config.at('detectLocalMode').unlessEmpty().oneOf(modes) ?? 'ClusterCIDR';
  switch (mode) {
    case 'ClusterCIDR':
      return { mode, prefixes };
    case 'NodeCIDR':
      return { mode };
    case 'BridgeInterface':
      if (name === undefined) throw bridge.invalid('is missing');
      return { mode, name };
    case 'InterfaceNamePrefix':
      if (prefix === undefined) throw interfacePrefix.invalid('is missing');
      return { mode, prefix };
  }
}

function readNodePortAddresses(field: Field): string[] {
  const items = field.items();
  const [first] = items;
  if (items.length === 1 && first?.value === NODE_PORTS_PRIMARY) return [NODE_PORTS_PRIMARY];
  return items.flatMap((item) => item.prefix()?.text ?? []);
}

function readMasquerade(section: Field): MasqueradeConfig {
  return {
    masqueradeBit: section.at('masqueradeBit').integer(0, 31) ?? MASQUERADE_BIT_DEFAULT,
    masqueradeAll: section.at('masqueradeAll').boolean() ?? false,
  };
}

function readIpvs(section: Field): IpvsConfig {
  for (const cidr of section.at('excludeCIDRs').items()) cidr.prefix();
  return {
    scheduler: section.at('scheduler').unlessEmpty().oneOf(IPVS_SCHEDULERS) ?? 'rr',
    strictARP: section.at('strictARP').boolean() ?? false,
    timeouts: {
      tcp: readSeconds(section.at('tcpTimeout')) ?? 0,
      tcpfin: readSeconds(section.at('tcpFinTimeout')) ?? 0,
      udp: readSeconds(section.at('udpTimeout')) ?? 0,
    },
  };
}

/** A Go duration, or a number of seconds. kube-proxy hands whole seconds to the kernel. */
function readSeconds(field: Field): number | undefined {
  if (field.isAbsent) return undefined;
  const seconds = typeof field.value === 'string' ? parseDuration(field.value) : field.value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0) throw field.invalid('is not a duration such as 1h0m0s');
  return Math.floor(seconds);
}
