// The plain forms of addresses against ipaddr.js: what both read is the same, and what is written is RFC 5952.
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../src/address.ts';
import { readIPv4, readIPv6, writeIPv6 } from '../src/plain-address.ts';

const group = fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, { arbitrary: fc.integer({ min: 0, max: 0xffff }), weight: 1 });
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
const wordsOf = (parts: readonly number[]): number[] => [0, 2, 4, 6].map((at) => (parts[at] ?? 0) * 0x10000 + (parts[at + 1] ?? 0));

describe('the plain forms of addresses', () => {
  test('are written as ipaddr.js writes RFC 5952', () => {
    fc.assert(
      fc.property(groups, (parts) => {
        expect(writeIPv6(wordsOf(parts))).toBe(new ipaddr.IPv6(parts).toRFC5952String());
      }),
    );
  });

  test('are read as ipaddr.js reads them, in full, shortened and in capitals', () => {
    fc.assert(
      fc.property(groups, (parts) => {
        const address = new ipaddr.IPv6(parts);
        for (const text of [address.toString(), address.toNormalizedString(), address.toNormalizedString().toUpperCase()]) {
          expect(readIPv6(text)).toEqual(wordsOf(parts));
        }
      }),
    );
  });

  test('are never read from text that ipaddr.js refuses', () => {
    const text = fc.string({ unit: fc.constantFrom('0', '1', 'f', 'G', ':', '::', '.', '%'), maxLength: 12 });
    fc.assert(
      fc.property(text, (candidate) => {
        const words = readIPv6(candidate);
        if (words === undefined) return;
        expect(ipaddr.IPv6.isValid(candidate), candidate).toBe(true);
        expect(words).toEqual(wordsOf(ipaddr.IPv6.parse(candidate).parts));
      }),
      { numRuns: 5000 },
    );
  });

  test('hold exactly four decimal octets', () => {
    const octets = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 5 });
    fc.assert(
      fc.property(octets, (list) => {
        const isAddress = list.length === 4 && list.every((octet) => octet < 256);
        const word = list.reduce((running, octet) => running * 256 + octet, 0);
        expect(readIPv4(list.join('.'))).toBe(isAddress ? word : undefined);
      }),
    );
    for (const wrong of ['', '1.2.3', '1.2.3.4.', '.1.2.3.4', '1..2.3', '1.2.3.0004', ' 1.2.3.4', '1.2.3.4 ', '1.2.3.a', '0x1.2.3.4'])
      expect(readIPv4(wrong), wrong).toBeUndefined();
  });

  test('are left for what is mixed or mapped', () => {
    expect(parseAddress('::ffff:10.0.0.1')).toEqual(parseAddress('10.0.0.1'));
    expect(parseAddress('::ffff:a00:1')?.text).toBe('10.0.0.1');
    expect(parseAddress('fe80::1%eth0')).toBeUndefined();
    expect(parseAddress('010.0.0.1')?.text).toBe('10.0.0.1');
  });
});
