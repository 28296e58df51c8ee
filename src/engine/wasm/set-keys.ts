// The keys of sets as words: those of an element, from its texts, and how the core builds one from a packet.
import {
  KEY_WORDS_MAX,
  SELECT_DESTINATION,
  SELECT_DESTINATION_PORT,
  SELECT_DESTINATION_PORT_ONLY,
  SELECT_SOURCE,
  SELECT_SOURCE_PORT,
  SELECT_SOURCE_PORT_ONLY,
} from '../../../assembly/shared/layout.ts';
import { CapacityError, UnsupportedError } from '../../errors.ts';
import type { ElementKey, KeyField } from '../../program/sets.ts';
import { protocolClass, writeAddress, writePrefix } from './wire.ts';

/** Words of an IPv6 network. */
const WIDEST_FIELD = 5;

/** The words of the key that was read last. */
export const KEY = new Uint32Array(KEY_WORDS_MAX + WIDEST_FIELD);

/**
 * Reads an element's key into KEY and returns its length: addresses as wire words; networks with their length behind; a protocol and
 * its port share one word. `name` is that of the set, for errors. @throws InvalidArgumentError, UnsupportedError, CapacityError
 */
export function readKey(name: string, fields: readonly KeyField[], key: ElementKey): number {
  let length = 0;
  let protocol = 0;
  for (let index = 0; index < fields.length; index++) {
    const part = key[index];
    if (part === undefined) throw new UnsupportedError(`set ${name}: an element has ${key.length} parts, its key ${fields.length}`);
    if (length > KEY_WORDS_MAX) break;
    switch (fields[index]) {
      case 'address':
        length += writeAddress(KEY, length, String(part));
        break;
      case 'network':
        length += writePrefix(KEY, length, String(part));
        break;
      case 'protocol':
        protocol = protocolClass(String(part));
        break;
      case 'port':
        KEY[length++] = protocol * 0x10000 + Number(part);
        break;
    }
  }
  if (length > KEY_WORDS_MAX) throw new CapacityError(`words in a key of set ${name}`, KEY_WORDS_MAX, length);
  return length;
}

/** Which parts of a packet make the key: `sides[i]` for field i, a protocol and its port counting as one side. */
export function keySelectors(fields: readonly KeyField[], sides: readonly ('src' | 'dst')[]): number {
  let selectors = 0;
  let shift = 0;
  let side = 0;
  let hasProtocol = false;
  for (const field of fields) {
    if (field === 'protocol') {
      hasProtocol = true;
      continue;
    }
    const isSource = sides[side] === 'src';
    side++;
    selectors |= selectorOf(field, isSource, hasProtocol) << shift;
    shift += 4;
  }
  return selectors >>> 0;
}

function selectorOf(field: KeyField, isSource: boolean, hasProtocol: boolean): number {
  if (field !== 'port') return isSource ? SELECT_SOURCE : SELECT_DESTINATION;
  if (hasProtocol) return isSource ? SELECT_SOURCE_PORT : SELECT_DESTINATION_PORT;
  return isSource ? SELECT_SOURCE_PORT_ONLY : SELECT_DESTINATION_PORT_ONLY;
}
