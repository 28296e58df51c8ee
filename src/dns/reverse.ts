// From addresses back to names: PTR.
import { type Address, parseAddress } from '../address.ts';
import type { NameSource } from './catalog.ts';
import { strictAddress } from './lookup.ts';
import type { DnsSettings } from './settings.ts';

const IPV4_TREE = '.in-addr.arpa.';
const IPV6_TREE = '.ip6.arpa.';
const NIBBLE_COUNT = 32;

/** The canonical text of the address that a reverse name spells in full; undefined for every other name. */
export function addressOfReverseName(lowered: string): string | undefined {
  if (lowered.endsWith(IPV4_TREE)) return strictAddress(lowered.slice(0, -IPV4_TREE.length).split('.').reverse().join('.'))?.text;
  if (!lowered.endsWith(IPV6_TREE)) return undefined;
  const nibbles = lowered.slice(0, -IPV6_TREE.length).split('.').reverse();
  if (nibbles.length !== NIBBLE_COUNT || !nibbles.every((nibble) => /^[\da-f]$/.test(nibble))) return undefined;
  return parseAddress(nibbles.join('').replace(/.{4}(?=.)/g, '$&:'))?.text;
}

/** The name under which the name of an address is found. */
export function reverseName({ family, words, text }: Address): string {
  if (family === 'IPv4') return `${text.split('.').reverse().join('.')}${IPV4_TREE}`;
  const digits = words.map((word) => word.toString(16).padStart(8, '0')).join('');
  return `${[...digits].reverse().join('.')}${IPV6_TREE}`;
}

/** The names of what has this address: the Service whose cluster IP it is, else the ready endpoints of every Service, each once. */
export function namesOfAddress(address: string, source: NameSource, settings: DnsSettings): readonly string[] {
  const { namespaces, primaryZone } = settings;
  // The namespace list filters here, the labels of Namespaces alone do not.
  const isShown = (namespace: string) => namespaces.size === 0 || source.isExposed(namespace);
  const service = source.servicesAt(address).find(({ namespace }) => isShown(namespace));
  if (service !== undefined) return [`${service.name}.${service.namespace}.svc.${primaryZone}`];
  const names = source
    .endpointSetsAt(address)
    .filter(({ namespace, service: of }) => of !== '' && isShown(namespace))
    .flatMap((set) =>
      set.endpoints
        .filter(({ spelled }) => spelled === address)
        .map(({ name }) => `${name}.${set.service}.${set.namespace}.svc.${primaryZone}`),
    );
  return [...new Set(names)];
}
