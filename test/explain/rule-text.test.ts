// The words of one rule, as iptables-save prints them.
import { describe, expect, it } from 'vitest';
import type { Match, Rule, Target } from '../../src/program/ruleset.ts';
import { ruleText } from '../../src/render/rule-text.ts';

const accept: Target = { kind: 'accept' };

function text(matches: readonly Match[], target: Target = accept, family: 'IPv4' | 'IPv6' = 'IPv4'): string {
  const rule: Rule = { matches, target };
  return ruleText(rule, 'C', family);
}

describe('the text of a rule', () => {
  it('puts addresses, interfaces and protocol first and keeps the order of the rest', () => {
    const matches: Match[] = [
      { kind: 'comment', text: 'default/web:http cluster IP' },
      { kind: 'protocol', protocol: 'tcp' },
      { kind: 'destination', prefix: '10.96.0.10/32' },
      { kind: 'destinationPort', from: 80, to: 80 },
      { kind: 'source', prefix: '10.0.0.0/8', negated: true },
      { kind: 'inInterface', name: 'cni+', negated: true },
    ];
    expect(text(matches, { kind: 'jump', chain: 'KUBE-SVC-X' })).toBe(
      '-A C ! -s 10.0.0.0/8 -d 10.96.0.10/32 ! -i cni+ -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-X',
    );
  });

  it('names the module of the protocol once for both ports', () => {
    const matches: Match[] = [
      { kind: 'protocol', protocol: 'udp' },
      { kind: 'sourcePort', from: 53, to: 53 },
      { kind: 'comment', text: 'dns' },
      { kind: 'destinationPort', from: 1024, to: 65535, negated: true },
    ];
    expect(text(matches)).toBe('-A C -p udp -m udp --sport 53 ! --dport 1024:65535 -m comment --comment dns -j ACCEPT');
  });

  it.each<[Match, string]>([
    [{ kind: 'mark', value: 0x4000, mask: 0x4000, negated: true }, '-m mark ! --mark 0x4000/0x4000'],
    [{ kind: 'mark', value: 1, mask: 0xffffffff }, '-m mark --mark 0x1'],
    [{ kind: 'conntrackState', states: ['ESTABLISHED', 'RELATED'] }, '-m conntrack --ctstate RELATED,ESTABLISHED'],
    [{ kind: 'sourceIn', prefixes: ['10.0.0.0/8', '192.0.2.1/32'], negated: true }, 'ip saddr != { 10.0.0.0/8, 192.0.2.1 }'],
    [{ kind: 'addressType', side: 'destination', type: 'LOCAL' }, '-m addrtype --dst-type LOCAL'],
    [{ kind: 'statistic', threshold: 715827883 }, '-m statistic --mode random --probability 0.33333333349'],
    [
      { kind: 'recent', operation: 'rcheck', list: 'L', seconds: 10800, reap: true },
      '-m recent --rcheck --seconds 10800 --reap --name L --mask 255.255.255.255 --rsource',
    ],
    [{ kind: 'recent', operation: 'set', list: 'L' }, '-m recent --set --name L --mask 255.255.255.255 --rsource'],
    [{ kind: 'set', set: 'KUBE-LOOP-BACK', fields: ['dst', 'dst', 'src'] }, '-m set --match-set KUBE-LOOP-BACK dst,dst,src'],
    [{ kind: 'physdevIn', negated: true }, '-m physdev ! --physdev-is-in'],
    [{ kind: 'nfacct', name: 'ct_state_invalid_dropped_pkts' }, '-m nfacct --nfacct-name ct_state_invalid_dropped_pkts'],
    [{ kind: 'comment', text: 'a "b"' }, '-m comment --comment "a \\"b\\""'],
  ])('writes %j', (match, words) => {
    expect(text([match])).toBe(`-A C ${words} -j ACCEPT`);
  });

  it.each<[Target, string]>([
    [{ kind: 'none' }, '-A C'],
    [{ kind: 'return' }, '-A C -j RETURN'],
    [{ kind: 'reject', with: 'icmp-port-unreachable' }, '-A C -j REJECT --reject-with icmp-port-unreachable'],
    [{ kind: 'goto', chain: 'D' }, '-A C -g D'],
    [{ kind: 'mark', value: 0x4000, mask: 0x4000 }, '-A C -j MARK --set-xmark 0x4000/0x4000'],
    [{ kind: 'masquerade', randomFully: true }, '-A C -j MASQUERADE --random-fully'],
    [{ kind: 'snat', address: '192.0.2.1' }, '-A C -j SNAT --to-source 192.0.2.1'],
    [{ kind: 'verdictMap', map: 'service-ips' }, '-A C vmap @service-ips'],
    [{ kind: 'randomVerdictMap', chains: ['a', 'b'] }, '-A C numgen random mod 2 vmap { 0 : goto a, 1 : goto b }'],
    [{ kind: 'updateSet', set: 'affinity' }, '-A C update @affinity { ip saddr }'],
  ])('writes the target %j', (target, words) => {
    expect(text([], target)).toBe(words);
  });

  it('writes IPv6 endpoints in brackets, after the module that DNAT of ports needs', () => {
    const target: Target = { kind: 'dnat', address: 'fd00::1', port: 8080 };
    expect(text([{ kind: 'protocol', protocol: 'tcp' }], target, 'IPv6')).toBe(
      '-A C -p tcp -m tcp -j DNAT --to-destination [fd00::1]:8080',
    );
  });
});
