// One rule of a dump: what its words mean, and what is said when they mean nothing here.
import { describe, expect, test } from 'vitest';
import { RulesError } from '../../src/errors.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import type { Match, Rule, Target } from '../../src/program/ruleset.ts';
import { filterTable } from './fixtures.ts';

/** The rule of FORWARD with these words. A chain OTHER exists. */
function rule(words: string, onUnmodelled?: (problem: RulesError) => void): Rule {
  const text = filterTable(':OTHER - [0:0]', `-A FORWARD ${words}`.trim());
  const { IPv4, IPv6 } = parseIptablesSave(text, onUnmodelled === undefined ? {} : { onUnmodelled });
  const found = [...IPv4.tables, ...IPv6.tables].flatMap(({ chains }) => chains.flatMap(({ rules }) => rules))[0];
  if (found === undefined) throw new Error('no rule was read');
  return found;
}

/** What is thrown for these words. */
function complaint(words: string): string {
  try {
    rule(words);
  } catch (error) {
    return error instanceof RulesError ? error.message : `another error: ${String(error)}`;
  }
  return 'nothing';
}

describe('matches', () => {
  test.each<[string, readonly Match[]]>([
    ['-s 10.0.0.0/8', [{ kind: 'source', prefix: '10.0.0.0/8' }]],
    ['! -d 10.0.0.1', [{ kind: 'destination', prefix: '10.0.0.1/32', negated: true }]],
    ['-d ! 10.0.0.1', [{ kind: 'destination', prefix: '10.0.0.1/32', negated: true }]],
    ['-s 10.96.0.0/255.240.0.0', [{ kind: 'source', prefix: '10.96.0.0/12' }]],
    ['-s fd00::/64', [{ kind: 'source', prefix: 'fd00::/64' }]],
    ['-s 0.0.0.0/0', []],
    [
      '-i cni+ ! -o eth0',
      [
        { kind: 'inInterface', name: 'cni+' },
        { kind: 'outInterface', name: 'eth0', negated: true },
      ],
    ],
    ['-p all', []],
    ['-p 17', [{ kind: 'protocol', protocol: 'udp' }]],
    ['! -p tcp', [{ kind: 'protocol', protocol: 'tcp', negated: true }]],
    [
      '-p tcp -m tcp --dport 80',
      [
        { kind: 'protocol', protocol: 'tcp' },
        { kind: 'destinationPort', from: 80, to: 80 },
      ],
    ],
    [
      '-m tcp -p tcp -d 10.0.0.1 --dport 80',
      [
        { kind: 'destination', prefix: '10.0.0.1/32' },
        { kind: 'protocol', protocol: 'tcp' },
        { kind: 'destinationPort', from: 80, to: 80 },
      ],
    ],
    [
      '-p udp -m udp --sport :1023 ! --dport 1024:',
      [
        { kind: 'protocol', protocol: 'udp' },
        { kind: 'sourcePort', from: 0, to: 1023 },
        { kind: 'destinationPort', from: 1024, to: 65535, negated: true },
      ],
    ],
    [
      '-p tcp -m multiport --dports 80,8000:8080',
      [
        { kind: 'protocol', protocol: 'tcp' },
        {
          kind: 'destinationPorts',
          ranges: [
            { from: 80, to: 80 },
            { from: 8000, to: 8080 },
          ],
        },
      ],
    ],
    [
      '-p tcp -m multiport ! --sports 25',
      [
        { kind: 'protocol', protocol: 'tcp' },
        { kind: 'sourcePorts', ranges: [{ from: 25, to: 25 }], negated: true },
      ],
    ],
    ['-m mark ! --mark 0x4000/0x4000', [{ kind: 'mark', value: 0x4000, mask: 0x4000, negated: true }]],
    ['-m mark --mark 16', [{ kind: 'mark', value: 16, mask: 0xffffffff }]],
    [
      '-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT',
      [{ kind: 'conntrackState', states: ['RELATED', 'ESTABLISHED', 'DNAT'], negated: true }],
    ],
    ['-m state --state NEW', [{ kind: 'conntrackState', states: ['NEW'] }]],
    [
      '-m addrtype ! --src-type LOCAL --dst-type LOCAL',
      [
        { kind: 'addressType', side: 'source', type: 'LOCAL', negated: true },
        { kind: 'addressType', side: 'destination', type: 'LOCAL' },
      ],
    ],
    ['-m statistic --mode random --probability 0.33333333349', [{ kind: 'statistic', threshold: 715827883 }]],
    ['-m recent --set --name A --mask 255.255.255.255 --rsource', [{ kind: 'recent', operation: 'set', list: 'A' }]],
    [
      '-m recent ! --rcheck --seconds 60 --reap --name A --rsource',
      [{ kind: 'recent', operation: 'rcheck', list: 'A', seconds: 60, reap: true, negated: true }],
    ],
    ['-m physdev ! --physdev-is-in', [{ kind: 'physdevIn', negated: true }]],
    [
      '-m ipvs --vproto 6 --vaddr 10.96.0.1/32 --vport 443',
      [{ kind: 'ipvs', virtualAddress: '10.96.0.1', virtualProtocol: 'tcp', virtualPort: 443 }],
    ],
    ['-m nfacct --nfacct-name seen', [{ kind: 'nfacct', name: 'seen' }]],
    ['-m comment --comment plain', [{ kind: 'comment', text: 'plain' }]],
    ['-m comment --comment "say \\"hi\\", it\\\'s -j DROP"', [{ kind: 'comment', text: 'say "hi", it\'s -j DROP' }]],
    ['-m comment --comment -j', [{ kind: 'comment', text: '-j' }]],
  ])('%s', (words, matches) => {
    expect(rule(`${words} -j ACCEPT`)).toEqual({ matches, target: { kind: 'accept' }, line: 6 });
  });

  test.each(['-p icmp -m icmp --icmp-type 8', '-p gre', '-p icmp -m limit --limit 1/sec', '-f'])(
    '%s fits no packet of this model',
    (words) => {
      expect(rule(`${words} -j DROP`).matches.at(-1)).toMatchObject({ kind: 'inert' });
    },
  );
});

describe('targets', () => {
  test.each<[string, Target]>([
    ['', { kind: 'none' }],
    ['-j RETURN', { kind: 'return' }],
    ['-j OTHER', { kind: 'jump', chain: 'OTHER' }],
    ['-g OTHER', { kind: 'goto', chain: 'OTHER' }],
    ['-d fd00::1 -j REJECT', { kind: 'reject', with: 'icmp6-port-unreachable' }],
    ['-j REJECT --reject-with tcp-reset', { kind: 'reject', with: 'tcp-reset' }],
    ['-j MARK --set-xmark 0x4000/0x0', { kind: 'mark', value: 0x4000, mask: 0 }],
    ['-j MARK --set-mark 0x1/0xf0', { kind: 'mark', value: 1, mask: 0xf1 }],
    ['-j MARK --set-mark 7', { kind: 'mark', value: 7, mask: 0xffffffff }],
    ['-j MARK --or-mark 0x4000', { kind: 'mark', value: 0x4000, mask: 0x4000 }],
    ['-j MARK --xor-mark 0x4000', { kind: 'mark', value: 0x4000, mask: 0 }],
    ['-j MARK --and-mark 0xfffffff0', { kind: 'mark', value: 0, mask: 0xf }],
    ['-j DNAT --to-destination 10.0.0.1:80', { kind: 'dnat', address: '10.0.0.1', port: 80 }],
    ['-j DNAT --to-destination [fd00::1]:80', { kind: 'dnat', address: 'fd00::1', port: 80 }],
    ['-j SNAT --to-source 192.0.2.1', { kind: 'snat', address: '192.0.2.1' }],
    ['-j MASQUERADE --random-fully', { kind: 'masquerade', randomFully: true }],
    ['-m limit --limit 3/min -j LOG --log-prefix "[BLOCK] "', { kind: 'none', text: 'LOG --log-prefix "[BLOCK] "' }],
  ])('%s', (words, target) => {
    expect(rule(words).target).toEqual(target);
  });
});

describe('what is not modelled', () => {
  test.each([
    ['-m rpfilter --invert -j DROP', 'rules line 6: -m rpfilter --invert is not modelled, in: -A FORWARD -m rpfilter --invert -j DROP'],
    ['-p tcp -m tcp --syn -j DROP', 'rules line 6: -m tcp --syn is not modelled, in: -A FORWARD -p tcp -m tcp --syn -j DROP'],
    [
      '-m statistic --mode nth --every 2 --packet 0 -j DROP',
      'rules line 6: -m statistic --mode nth --every 2 --packet 0 is not modelled, in: -A FORWARD -m statistic --mode nth --every 2 --packet 0 -j DROP',
    ],
    [
      '-m addrtype --dst-type BROADCAST -j DROP',
      'rules line 6: -m addrtype --dst-type BROADCAST is not modelled, in: -A FORWARD -m addrtype --dst-type BROADCAST -j DROP',
    ],
    [
      '-m set --match-set blocked src -j DROP',
      'rules line 6: -m set --match-set blocked src asks a set whose contents are not given, expected them as ipset save prints them, in: -A FORWARD -m set --match-set blocked src -j DROP',
    ],
    ['-j CT --notrack', 'rules line 6: -j CT --notrack is not modelled, in: -A FORWARD -j CT --notrack'],
    ['-j CONNMARK --restore-mark', 'rules line 6: -j CONNMARK --restore-mark is not modelled, in: -A FORWARD -j CONNMARK --restore-mark'],
    ['-j MISSING', 'rules line 6: -j MISSING is not modelled, in: -A FORWARD -j MISSING'],
    [
      '-j DNAT --to-destination 10.0.0.1-10.0.0.9',
      'rules line 6: -j DNAT --to-destination 10.0.0.1-10.0.0.9 is not modelled, in: -A FORWARD -j DNAT --to-destination 10.0.0.1-10.0.0.9',
    ],
    ['-s 10.0.0.300 -j DROP', 'rules line 6: -s 10.0.0.300 is not modelled, in: -A FORWARD -s 10.0.0.300 -j DROP'],
    ['-j DROP -j ACCEPT', 'rules line 6: -j ACCEPT is a second target, in: -A FORWARD -j DROP -j ACCEPT'],
    ['-m comment --comment "open -j DROP', 'rules line 6: -A FORWARD -m comment --comment "open -j DROP has a quote that does not end'],
  ])('%s: is an error that names the line, the words and the rule', (words, message) => {
    expect(complaint(words)).toBe(message);
  });

  test('leniently is reported, carried along, and taken not to hold', () => {
    const reported: string[] = [];
    const read = rule('-s 10.0.0.0/8 -m owner --uid-owner 0 -j DROP', ({ match, line }) => reported.push(`${line}: ${match}`));

    expect(reported).toEqual(['6: -m owner --uid-owner 0']);
    expect(read.matches).toEqual([
      { kind: 'source', prefix: '10.0.0.0/8' },
      { kind: 'unmodelled', text: '-m owner --uid-owner 0' },
    ]);
  });

  test('leniently goes on behind a target', () => {
    expect(rule('-j CT --notrack', () => {}).target).toEqual({ kind: 'none', text: 'CT --notrack', isUnmodelled: true });
  });
});
