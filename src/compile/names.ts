// Every name of a chain that kube-proxy makes. Each literal stands here once.
import type { Endpoint, ServicePort } from '../state/expected-state.ts';
import { sha256 } from './sha256.ts';

export const KUBE_SERVICES = 'KUBE-SERVICES';
export const KUBE_EXTERNAL_SERVICES = 'KUBE-EXTERNAL-SERVICES';
export const KUBE_NODEPORTS = 'KUBE-NODEPORTS';
export const KUBE_FORWARD = 'KUBE-FORWARD';
export const KUBE_PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL';
export const KUBE_FIREWALL = 'KUBE-FIREWALL';
export const KUBE_POSTROUTING = 'KUBE-POSTROUTING';
export const KUBE_MARK_MASQ = 'KUBE-MARK-MASQ';

/** Chains that only IPVS mode has. */
export const KUBE_LOAD_BALANCER = 'KUBE-LOAD-BALANCER';
export const KUBE_NODE_PORT = 'KUBE-NODE-PORT';
export const KUBE_SOURCE_RANGES_FIREWALL = 'KUBE-SOURCE-RANGES-FIREWALL';
export const KUBE_IPVS_FILTER = 'KUBE-IPVS-FILTER';
export const KUBE_IPVS_OUT_FILTER = 'KUBE-IPVS-OUT-FILTER';

/** ASCII of A-Z, 2-7. */
const BASE32 = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', (letter) => letter.charCodeAt(0));

/** Of the name that is being made. A large cluster has hundreds of thousands of them: letters by themselves would be most of the work. */
const codes: number[] = [];

/** The prefix and the first `length` characters (40 at most) of the base32 (RFC 4648) of the SHA-256 of a text. */
export function shortHash(text: string, length: number, prefix = ''): string {
  const digest = sha256(text);
  codes.length = prefix.length + length;
  for (let at = 0; at < prefix.length; at++) codes[at] = prefix.charCodeAt(at);
  for (let at = 0; at < length; at++) {
    const bit = at * 5;
    const word = digest[bit >> 5] ?? 0;
    const room = 27 - (bit & 31);
    // A character may begin in one word and end in the next.
    const value = room >= 0 ? word >>> room : (word << -room) | ((digest[(bit >> 5) + 1] ?? 0) >>> (32 + room));
    codes[prefix.length + at] = BASE32[value & 31] ?? 0;
  }
  return String.fromCharCode(...codes);
}

/** The per-service chains of one ServicePort: cluster policy, local policy, external traffic, firewall. */
export interface ServiceChainNames {
  readonly service: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
}

export function serviceChainNames(servicePort: ServicePort): ServiceChainNames {
  const hash = shortHash(servicePort.name + servicePort.protocol.toLowerCase(), 16);
  return { service: `KUBE-SVC-${hash}`, local: `KUBE-SVL-${hash}`, external: `KUBE-EXT-${hash}`, firewall: `KUBE-FW-${hash}` };
}

export function endpointChainName(servicePort: Pick<ServicePort, 'name' | 'protocol'>, endpoint: Pick<Endpoint, 'text'>): string {
  return shortHash(servicePort.name + servicePort.protocol.toLowerCase() + endpoint.text, 16, 'KUBE-SEP-');
}
