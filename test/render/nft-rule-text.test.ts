// The words of one rule, as nft lists them and reads them.
import { describe, expect, it } from 'vitest';
import type { Family } from '../../src/address.ts';
import type { Match, Target } from '../../src/program/ruleset.ts';
import type { KeyField } from '../../src/program/sets.ts';
import { nftRuleText } from '../../src/render/nft-rule-text.ts';

const KEYS: Readonly<Record<string, readonly KeyField[]>> = {
  'service-ips': ['address', 'protocol', 'port'],
  'service-nodeports': ['protocol', 'port'],
};

function text(matches: readonly Match[], target: Target = { kind: 'drop' }, family: Family = 'IPv4'): string {
  return nftRuleText({ matches, target }, { family, mapKey: (name) => KEYS[name] ?? [] });
}

describe('the nft text of a rule', () => {
  it('keeps the order of the matches and puts the comment last', () => {
    const matches: Match[] = [
      { kind: 'comment', text: 'from outside' },
      { kind: 'destination', prefix: '10.96.0.1/32' },
      { kind: 'source', prefix: '10.244.0.0/16', negated: true },
    ];
    expect(text(matches, { kind: 'jump', chain: 'mark-for-masquerade' })).toBe(
      'ip daddr 10.96.0.1 ip saddr != 10.244.0.0/16 jump mark-for-masquerade comment "from outside"',
    );
  });

  it.each<[Match, string]>([
    [{ kind: 'sourceIn', prefixes: ['10.0.0.0/8', '192.0.2.1/32'], negated: true }, 'ip saddr != { 10.0.0.0/8, 192.0.2.1 }'],
    [{ kind: 'destinationIn', prefixes: ['10.96.0.0/16'] }, 'ip daddr 10.96.0.0/16'],
    [{ kind: 'inInterface', name: 'cni+', negated: true }, 'iifname != "cni*"'],
    [{ kind: 'protocol', protocol: 'sctp' }, 'meta l4proto sctp'],
    [{ kind: 'destinationPort', from: 80, to: 90 }, 'th dport 80-90'],
    [{ kind: 'mark', value: 0, mask: 0x4000 }, 'meta mark & 0x00004000 == 0x00000000'],
    [{ kind: 'conntrackState', states: ['NEW'] }, 'ct state new'],
    [{ kind: 'addressType', side: 'source', type: 'LOCAL' }, 'fib saddr type local'],
    [{ kind: 'set', set: 'cluster-ips', fields: ['dst'] }, 'ip daddr @cluster-ips'],
  ])('writes %j', (match, words) => {
    expect(text([match])).toBe(`${words} drop`);
  });

  it.each<[Target, string]>([
    [{ kind: 'reject', with: 'icmp-port-unreachable' }, 'reject'],
    [{ kind: 'reject', with: 'tcp-reset' }, 'reject with tcp reset'],
    [{ kind: 'mark', value: 0x4000, mask: 0x4000 }, 'meta mark set meta mark | 0x00004000'],
    [{ kind: 'mark', value: 0x4000, mask: 0 }, 'meta mark set meta mark ^ 0x00004000'],
    [{ kind: 'dnat', address: '10.244.1.5', port: 8080 }, 'dnat to 10.244.1.5:8080'],
    [{ kind: 'masquerade', randomFully: true }, 'masquerade fully-random'],
    [{ kind: 'verdictMap', map: 'service-ips' }, 'ip daddr . meta l4proto . th dport vmap @service-ips'],
    [{ kind: 'verdictMap', map: 'service-nodeports' }, 'meta l4proto . th dport vmap @service-nodeports'],
    [{ kind: 'randomVerdictMap', chains: ['a', 'b'] }, 'numgen random mod 2 vmap { 0 : goto a, 1 : goto b }'],
    [{ kind: 'updateSet', set: 'affinity' }, 'update @affinity { ip saddr }'],
  ])('writes the target %j', (target, words) => {
    expect(text([], target)).toBe(words);
  });

  it('has words of its own for IPv6', () => {
    const matches: Match[] = [
      { kind: 'source', prefix: 'fd00::1/128' },
      { kind: 'protocol', protocol: 'tcp' },
    ];
    expect(text(matches, { kind: 'dnat', address: 'fd00::1', port: 80 }, 'IPv6')).toBe(
      'ip6 saddr fd00::1 meta l4proto tcp dnat to [fd00::1]:80',
    );
    expect(text([], { kind: 'reject', with: 'icmp6-port-unreachable' }, 'IPv6')).toBe('reject');
  });
});
