// The API server's rules for the addresses of one Service: cluster IPs, families, external IPs.
import { type Address, type Family, parseAddress } from '../address.ts';
import { type Complaint, complaint, oneOf, quoted } from './complaint.ts';
import { isHeadlessWithoutSelector } from './defaults.ts';
import { type Fields, listOf, textsOf } from './fields.ts';

export function serviceAddressProblems(spec: Fields, families: readonly Family[]): Complaint[] {
  const own = spec.type === 'ExternalName' ? [] : [...clusterIPProblems(spec), ...familyProblems(spec, families)];
  return [...own, ...externalIPProblems(spec)];
}

function clusterIPProblems(spec: Fields): Complaint[] {
  const { clusterIP } = spec;
  const clusterIPs = listOf(spec.clusterIPs);
  if (clusterIP === undefined || clusterIP === '')
    return clusterIPs.length === 0 ? [] : [complaint('spec.clusterIPs', clusterIPs, 'must be empty when spec.clusterIP is not given')];
  if (clusterIP === 'None') {
    const isPublished = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
    return [
      ...(isPublished ? [complaint('spec.clusterIP', clusterIP, `may not be None when type is ${String(spec.type)}`)] : []),
      ...(clusterIPs.length > 1 ? [complaint('spec.clusterIPs', clusterIPs, 'may hold nothing beside None')] : []),
    ];
  }
  const complaints: Complaint[] = [];
  if (clusterIPs[0] !== clusterIP)
    complaints.push(complaint('spec.clusterIPs[0]', clusterIPs[0], `${quoted(clusterIPs[0])} differs from spec.clusterIP`));
  if (clusterIPs.length > 2) complaints.push(complaint('spec.clusterIPs', clusterIPs, 'holds more than two addresses'));
  const families = new Set<string>();
  for (const [index, ip] of clusterIPs.entries()) {
    const path = clusterIPs.length === 1 ? 'spec.clusterIP' : `spec.clusterIPs[${index}]`;
    const address = typeof ip === 'string' ? parseAddress(ip) : undefined;
    if (address === undefined) {
      complaints.push(complaint(path, ip, `${quoted(ip)} is not an IP address`));
      continue;
    }
    if (families.has(address.family)) complaints.push(complaint(path, ip, `${quoted(ip)} is a second address of ${address.family}`));
    families.add(address.family);
    const expected = textsOf(spec.ipFamilies)[index];
    if (expected !== undefined && expected !== address.family) {
      complaints.push(complaint(path, ip, `${quoted(ip)} is not of family ${expected}, which spec.ipFamilies[${index}] asks for`));
    }
  }
  return complaints;
}

function familyProblems(spec: Fields, configured: readonly Family[]): Complaint[] {
  const families = listOf(spec.ipFamilies);
  const complaints = oneOf('spec.ipFamilyPolicy', spec.ipFamilyPolicy, ['SingleStack', 'PreferDualStack', 'RequireDualStack']);
  if (spec.ipFamilies !== undefined && !Array.isArray(spec.ipFamilies))
    complaints.push(complaint('spec.ipFamilies', spec.ipFamilies, `${quoted(spec.ipFamilies)} is not a list`));
  const ownsAddresses = isHeadlessWithoutSelector(spec);
  for (const [index, family] of families.entries()) {
    const path = `spec.ipFamilies[${index}]`;
    complaints.push(...oneOf(path, family, ['IPv4', 'IPv6']));
    if (families.indexOf(family) !== index) complaints.push(complaint(path, family, `${quoted(family)} is there twice`));
    const isKnown = family === 'IPv4' || family === 'IPv6';
    if (isKnown && !configured.includes(family) && !ownsAddresses) {
      complaints.push(complaint(path, family, `${family} is not configured on this cluster`));
    }
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack' && configured.length < 2 && !ownsAddresses) {
    complaints.push(
      complaint('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'is RequireDualStack: this cluster is not configured for dual-stack services'),
    );
  }
  if (spec.ipFamilyPolicy === 'SingleStack' && families.length > 1) {
    complaints.push(complaint('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'is SingleStack, but spec.ipFamilies holds two'));
  }
  return complaints;
}

function externalIPProblems(spec: Fields): Complaint[] {
  if (spec.externalIPs !== undefined && !Array.isArray(spec.externalIPs))
    return [complaint('spec.externalIPs', spec.externalIPs, `${quoted(spec.externalIPs)} is not a list`)];
  return listOf(spec.externalIPs).flatMap((ip, index) => {
    const address = typeof ip === 'string' ? parseAddress(ip) : undefined;
    const path = `spec.externalIPs[${index}]`;
    if (address === undefined) return [complaint(path, ip, `${quoted(ip)} is not an IP address`)];
    const special = specialUse(address);
    return special === undefined
      ? []
      : [complaint(path, ip, `${quoted(ip)} is ${special}, expected an address that can be reached from outside`)];
  });
}

/** Why an address cannot be an external IP or an endpoint: unspecified, loopback or link-local. */
export function specialUse({ family, words, text }: Address): string | undefined {
  const [first = 0] = words;
  if (text === '0.0.0.0' || text === '::') return 'unspecified';
  if (family === 'IPv4') {
    if (first >>> 24 === 127) return 'a loopback address';
    if (first >>> 16 === 0xa9fe) return 'link-local';
    return first >>> 8 === 0xe00000 ? 'link-local multicast' : undefined;
  }
  if (text === '::1') return 'a loopback address';
  if (first >>> 22 === 0xfe80 >>> 6) return 'link-local';
  // ff02::/16, and with other flags ff12::, ff32:: …
  return (first & 0xff0f0000) >>> 0 === 0xff020000 ? 'link-local multicast' : undefined;
}
