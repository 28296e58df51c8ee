// Addresses against ipaddr.js: what both read is the same, and what is written is RFC 5952.
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../src/address.ts';
import { isPlainIPv6, readIPv4, readIPv6, writeIPv6 } from '../src/plain-address.ts';

const group = fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, { arbitrary: fc.integer({ min: 0, max: 0xffff }), weight: 1 });
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
const wordsOf = (parts: readonly number[]): number[] => [0, 2, 4, 6].map((at) => (parts[at] ?? 0) * 0x10000 + (parts[at + 1] ?? 0));

describe('addresses', () => {
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

  test('are known to be written as they are read, or not', () => {
    fc.assert(
      fc.property(groups, fc.nat(7), fc.nat(8), (parts, start, end) => {
        const words = wordsOf(parts);
        const plain = writeIPv6(words);
        const padded = parts.map((part) => part.toString(16).padStart(2, '0'));
        // A gap of one's own choice, where these groups are 0.
        const zeros = parts.map((part, index) => (index >= start && index < end ? 0 : part));
        const shortened = [zeros.slice(0, start), zeros.slice(Math.max(start, end))].map((side) => side.map((part) => part.toString(16)));
        const gapped = `${shortened[0]?.join(':')}::${shortened[1]?.join(':')}`;
        for (const text of [plain, plain.toUpperCase(), padded.join(':'), new ipaddr.IPv6(parts).toNormalizedString(), gapped]) {
          const read = readIPv6(text);
          if (read === undefined) continue;
          expect(isPlainIPv6(text, read), text).toBe(text === writeIPv6(read));
          expect(isPlainIPv6(`${text}0`, read), text).toBe(false);
          const isMapped = read[0] === 0 && read[1] === 0 && read[2] === 0xffff;
          if (!isMapped) expect(parseAddress(text)?.text).toBe(writeIPv6(read));
        }
      }),
    );
    expect(isPlainIPv6('::1.2.3.4', readIPv6('::1.2.3.4') ?? [])).toBe(false);
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

  test('are read with an IPv4 address at their end', () => {
    fc.assert(
      fc.property(groups, (parts) => {
        const [high = 0, low = 0] = parts.slice(6);
        const tail = `${high >>> 8}.${high & 255}.${low >>> 8}.${low & 255}`;
        const front = new ipaddr.IPv6([...parts.slice(0, 6), 1, 1]).toRFC5952String().replace(/1:1$/, '');
        for (const text of [
          `${front}${tail}`,
          `${parts
            .slice(0, 6)
            .map((part) => part.toString(16))
            .join(':')}:${tail}`,
        ])
          expect(readIPv6(text), text).toEqual(wordsOf(parts));
      }),
    );
    expect(parseAddress('::ffff:10.0.0.1')).toEqual(parseAddress('10.0.0.1'));
    expect(parseAddress('::ffff:a00:1')?.text).toBe('10.0.0.1');
    expect(parseAddress('::ffff:010.0.0.1')?.text).toBe('10.0.0.1');
    // Not mapped, as Go sees it: ipaddr.js takes it for 1.2.3.4.
    expect(parseAddress('::1.2.3.4')?.text).toBe('::102:304');
    const wrong = ['::ffff:0x7f.0.0.1', '::ffff:1.2.3', '::1.2.3.256', '1:2:3:4:5:6:7:1.2.3.4', '::1.2.3.4:5', ':1.2.3.4', '1.2.3.4::'];
    for (const text of wrong) expect(parseAddress(text), text).toBeUndefined();
  });

  test('have no zone, and decimal octets', () => {
    expect(parseAddress('fe80::1%eth0')).toBeUndefined();
    expect(parseAddress('fe80::1.2.3.4%eth0')).toBeUndefined();
    expect(parseAddress('010.0.0.1')?.text).toBe('10.0.0.1');
  });
});
