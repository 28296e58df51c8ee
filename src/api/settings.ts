// The options of a dataplane and the kube-proxy configuration beside them → one set of checked settings.
// compile/node-options.ts makes the compilers' options of it, for a node and a family.
import type { Address, Prefix } from '../address.ts';
import type { ProxyMode } from '../packet.ts';
import { type DetectLocal, type IpvsConfig, PROXY_MODES, readConfig } from './config.ts';
import { argumentFields, required } from './fields.ts';
import { checkSysctls, settleConntrack, type TimeoutSettings } from './sysctls.ts';
import type { KubeProxyConfiguration } from './types.ts';

/** The part of DataplaneOptions that says what the node is and does. */
export interface SettingsOptions {
  readonly mode?: ProxyMode;
  readonly nodeName?: string;
  readonly nodeIPs?: readonly string[];
  readonly config?: KubeProxyConfiguration;
  readonly serviceCIDRs?: readonly string[];
  readonly host?: { readonly randomFully?: boolean; readonly nfacct?: boolean; readonly tcpBeLiberal?: boolean };
  readonly sysctls?: Readonly<Record<string, number>>;
  readonly conntrackMax?: number;
}

/** The feature gates that change what a node does. */
export interface Features {
  /** ipMode counts; without it, every address of a load balancer is a VIP. */
  readonly loadBalancerIPMode: boolean;
  /** Node hints count. */
  readonly preferSameTrafficDistribution: boolean;
}

export interface Settings {
  readonly mode: ProxyMode;
  /** Empty: not known, so no Endpoint is local. */
  readonly nodeName: string;
  /** Of both families, primary first of each; absent: the addresses of the Node object. */
  readonly nodeIPs?: readonly Address[];
  readonly detectLocal: DetectLocal;
  readonly masqueradeAll: boolean;
  /** The mark that asks for masquerade: 1 << masqueradeBit, unsigned. */
  readonly masqueradeMark: number;
  readonly nodePortAddresses: readonly string[];
  readonly localhostNodePorts: boolean;
  readonly serviceCIDRs: readonly Prefix[];
  readonly randomFully: boolean;
  readonly nfacct: boolean;
  readonly tcpBeLiberal: boolean;
  readonly ipvs: IpvsConfig;
  readonly features: Features;
  readonly timeouts: TimeoutSettings;
  readonly tcpLoose: boolean;
  readonly conntrackMax: number;
}

const CONNTRACK_MAX_LIMIT = 0xffffffff;

/** Checks the options and fills in kube-proxy's and the kernel's defaults; an option beside `config` wins over it. @throws InvalidArgumentError */
export function settleConfig(options: SettingsOptions = {}): Settings {
  const sysctls = options.sysctls ?? {};
  checkSysctls(sysctls);
  const config = readConfig(argumentFields('config', options.config));
  const mode = argumentFields('mode', options.mode).oneOf(PROXY_MODES) ?? config.mode;
  const { masqueradeAll, masqueradeBit } = mode === 'nftables' ? config.nftables : config.iptables;
  const nodeIPs = readNodeIPs(options.nodeIPs);
  const conntrack = settleConntrack(config.conntrack, sysctls);
  const host = argumentFields('host', options.host);
  return {
    mode,
    nodeName: argumentFields('nodeName', options.nodeName).unlessEmpty().text() ?? config.hostnameOverride,
    ...(nodeIPs === undefined ? {} : { nodeIPs }),
    detectLocal: config.detectLocal,
    masqueradeAll,
    masqueradeMark: (1 << masqueradeBit) >>> 0,
    nodePortAddresses: config.nodePortAddresses,
    localhostNodePorts: config.localhostNodePorts,
    serviceCIDRs: argumentFields('serviceCIDRs', options.serviceCIDRs)
      .items()
      .map((field) => required(field, field.prefix())),
    randomFully: host.at('randomFully').boolean() ?? true,
    nfacct: host.at('nfacct').boolean() ?? false,
    tcpBeLiberal: host.at('tcpBeLiberal').boolean() ?? conntrack.tcpBeLiberal,
    ipvs: config.ipvs,
    features: {
      loadBalancerIPMode: config.featureGates.LoadBalancerIPMode ?? true,
      preferSameTrafficDistribution: config.featureGates.PreferSameTrafficDistribution ?? true,
    },
    timeouts: conntrack.timeouts,
    tcpLoose: conntrack.tcpLoose,
    conntrackMax: argumentFields('conntrackMax', options.conntrackMax).integer(1, CONNTRACK_MAX_LIMIT) ?? conntrack.max,
  };
}

function readNodeIPs(nodeIPs: readonly string[] | undefined): Address[] | undefined {
  if (nodeIPs === undefined) return undefined;
  return argumentFields('nodeIPs', nodeIPs)
    .items()
    .map((field) => required(field, field.address()));
}
