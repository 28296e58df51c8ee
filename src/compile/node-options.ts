// Settings and the Node → what the compilers ask for, for one address family. The dataplane calls it whenever its Node changes.
import { type Address, type Family, type Prefix, textsOf } from '../address.ts';
import type { ServiceCIDR } from '../api/service-cidr.ts';
import type { Settings } from '../api/settings.ts';
import type { CompileOptions, LocalDetector } from './options.ts';

/** What a Node object says about its own rules. */
export interface NodeFacts {
  readonly addresses: readonly Address[];
  readonly podCIDRs: readonly Prefix[];
}

const noFacts: NodeFacts = { addresses: [], podCIDRs: [] };

/**
 * @param node this node's object, as far as it is known yet.
 * @param serviceCIDRs the ranges that objects name, on top of those of the settings.
 */
export function compileOptionsFor(
  settings: Settings,
  family: Family,
  node: NodeFacts = noFacts,
  serviceCIDRs: readonly Pick<ServiceCIDR, 'cidrs'>[] = [],
): CompileOptions {
  const localDetector = localDetectorFor(settings, family, node);
  const addresses = settings.nodeIPs ?? node.addresses;
  const ranges = [...settings.serviceCIDRs, ...serviceCIDRs.flatMap(({ cidrs }) => cidrs)];
  return {
    nodeAddresses: [...new Set(textsOf(addresses, family))],
    ...(localDetector === undefined ? {} : { localDetector }),
    masqueradeAll: settings.masqueradeAll,
    masqueradeMark: settings.masqueradeMark,
    nodePortAddresses: settings.nodePortAddresses,
    localhostNodePorts: settings.localhostNodePorts,
    serviceCIDRs: [...new Set(textsOf(ranges, family))].sort(),
    randomFully: settings.randomFully,
    nfacct: settings.nfacct,
    tcpBeLiberal: settings.tcpBeLiberal,
    ipvs: settings.ipvs,
  };
}

function localDetectorFor(settings: Settings, family: Family, node: NodeFacts): LocalDetector | undefined {
  const { detectLocal } = settings;
  switch (detectLocal.mode) {
    case 'ClusterCIDR':
      return prefixDetector(detectLocal.prefixes, family);
    case 'NodeCIDR':
      return prefixDetector(node.podCIDRs, family);
    case 'BridgeInterface':
      return { kind: 'bridge', name: detectLocal.name };
    case 'InterfaceNamePrefix':
      return { kind: 'interfacePrefix', prefix: detectLocal.prefix };
  }
}

function prefixDetector(prefixes: readonly Prefix[], family: Family): LocalDetector | undefined {
  const prefix = prefixes.find((candidate) => candidate.family === family);
  return prefix === undefined ? undefined : { kind: 'prefix', prefix: prefix.text };
}
