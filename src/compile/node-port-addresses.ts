// Which addresses of the node accept node ports (`nodePortAddresses`), for one family.
import { type Address, type Family, parseAddress, parsePrefix, prefixContains } from '../address.ts';
import type { CompileOptions } from './options.ts';

const LOOPBACK: Readonly<Record<Family, string>> = { IPv4: '127.0.0.1', IPv6: '::1' };

/** The word that stands for the node's primary addresses. */
export const PRIMARY = 'primary';

export interface NodePortAddresses {
  /** Every local address; kube-proxy then matches by type LOCAL instead of by address. */
  readonly matchesAll: boolean;
  /** 127.0.0.1 is among them. */
  readonly includesLoopbackV4: boolean;
  /** The node's own addresses that match, loopback included. Empty when `matchesAll`. */
  readonly addresses: readonly string[];
}

/** `cidrs` as configured, of all families. None of this family left: all addresses, as kube-proxy decides it. */
export function nodePortAddresses(family: Family, cidrs: readonly string[], options: CompileOptions): NodePortAddresses {
  const primary = options.nodeAddresses[0];
  const own = cidrs.flatMap((cidr) => {
    const text = cidr === PRIMARY ? primary : cidr;
    const prefix = text === undefined ? undefined : parsePrefix(text);
    return prefix?.family === family ? [prefix] : [];
  });
  if (own.length === 0 || own.some(({ length }) => length === 0)) return { matchesAll: true, includesLoopbackV4: true, addresses: [] };
  const contains = (address: Address): boolean => own.some((prefix) => prefixContains(prefix, address));
  const addresses = [LOOPBACK[family], ...options.nodeAddresses].filter((text) => {
    const address = parseAddress(text);
    return address !== undefined && contains(address);
  });
  return {
    matchesAll: false,
    includesLoopbackV4:
      own.some((prefix) => prefix.words[0] !== undefined && family === 'IPv4' && prefix.words[0] >>> 24 === 127) ||
      addresses.includes(LOOPBACK.IPv4),
    addresses,
  };
}

/** Loopback node ports work: IPv4, not switched off, and a loopback address accepts node ports. */
export function hasLocalhostNodePorts(family: Family, accepted: NodePortAddresses, options: CompileOptions): boolean {
  return family === 'IPv4' && options.localhostNodePorts && accepted.includesLoopbackV4;
}

export function isLoopback(text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  return address.family === 'IPv4' ? (address.words[0] ?? 0) >>> 24 === 127 : address.text === '::1';
}
