// What `ipset save` prints, beside the rules that ask the sets: `create` and `add` lines → named sets.
import { type Family, parseAddress, parsePrefix } from '../address.ts';
import { RulesError } from '../errors.ts';
import type { ElementKey, KeyField, NamedSet } from '../program/sets.ts';
import { readPorts } from './values.ts';

export interface SetLine {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
}

/** Named sets with the family they belong to; undefined: of ports alone, for both. */
export type DumpedSet = NamedSet & { readonly family: Family | undefined };

/** The types that a Program can say. A port comes with its protocol, but for bitmaps. */
const KEYS: Readonly<Record<string, readonly KeyField[]>> = {
  'hash:ip': ['address'],
  'hash:net': ['network'],
  'hash:ip,port': ['address', 'protocol', 'port'],
  'hash:net,port': ['network', 'protocol', 'port'],
  'hash:ip,port,ip': ['address', 'protocol', 'port', 'address'],
  'hash:ip,port,net': ['address', 'protocol', 'port', 'network'],
  'bitmap:port': ['port'],
};

/** Options of an entry that change nothing about its membership; each takes a value. */
const ENTRY_OPTIONS = ['timeout', 'packets', 'bytes', 'comment'];

export function isSetLine(text: string): boolean {
  return /^(create|add) /.test(text);
}

/** @throws RulesError for a type or an entry that is not modelled: a set with members left out would answer wrongly. */
export function readSets(lines: readonly SetLine[]): DumpedSet[] {
  const sets = new Map<string, DumpedSet & { readonly elements: ElementKey[] }>();
  for (const line of lines) {
    const [command, name = '', ...words] = line.text.split(/\s+/);
    const known = sets.get(name);
    if (command === 'create') sets.set(name, readCreate(line, name, words));
    else if (known === undefined) throw wrong(line, 'adds to a set that was not created before');
    else known.elements.push(...readEntry(line, known.key, words));
  }
  return [...sets.values()];
}

function readCreate(
  line: SetLine,
  name: string,
  [type = '', ...options]: readonly string[],
): DumpedSet & { readonly elements: ElementKey[] } {
  const key = Object.hasOwn(KEYS, type) ? KEYS[type] : undefined;
  if (key === undefined) throw wrong(line, `is of a type that is not modelled, expected one of ${Object.keys(KEYS).join(', ')}`);
  const family = type === 'bitmap:port' ? undefined : options[options.indexOf('family') + 1] === 'inet6' ? 'IPv6' : 'IPv4';
  return { name, key, elements: [], ipsetType: type, family };
}

/** A range of ports becomes one element for each. */
function readEntry(line: SetLine, key: readonly KeyField[], [entry = '', ...options]: readonly string[]): ElementKey[] {
  if (options.length > 0 && !ENTRY_OPTIONS.includes(options[0] ?? ''))
    throw wrong(line, `has the option ${options[0]}, which is not modelled`);
  const texts = entry.split(',').flatMap((part) => protocolAndPort(part) ?? [part]);
  let elements: ElementKey[] = [[]];
  for (const [at, field] of key.entries()) {
    const parts = readParts(field, texts[at] ?? '');
    if (parts.length === 0 || texts.length !== key.length) throw wrong(line, `does not fit the key ${key.join(', ')}`);
    elements = elements.flatMap((element) => parts.map((part) => [...element, part]));
  }
  return elements;
}

/** `tcp:80`; addresses of IPv6 have colons, too. */
function protocolAndPort(text: string): string[] | undefined {
  const [, protocol, port] = /^(tcp|udp|sctp):(.+)$/.exec(text) ?? [];
  return protocol === undefined || port === undefined ? undefined : [protocol, port];
}

function readParts(field: KeyField, text: string): (string | number)[] {
  switch (field) {
    case 'address':
      return [parseAddress(text)?.text].filter((part) => part !== undefined);
    case 'network':
      return [parsePrefix(text)?.text].filter((part) => part !== undefined);
    case 'protocol':
      return text === 'tcp' || text === 'udp' || text === 'sctp' ? [text] : [];
    case 'port': {
      const range = readPorts(text.replace('-', ':'));
      return range === undefined ? [] : Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index);
    }
  }
}

function wrong({ number, text }: SetLine, message: string): RulesError {
  return new RulesError({ line: number, rule: text, match: text, message });
}
