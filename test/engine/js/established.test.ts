// Rules of known connections: a constant where no rule can refuse them, else the filter chains run.
import { describe, expect, it } from 'vitest';
import { PATH_FORWARD, PATH_INPUT, PATH_IPVS, PATH_LOOPBACK, PATH_OUTPUT } from '../../../assembly/shared/layout.ts';
import { proofOf } from '../../../src/program/established.ts';
import type { Chain, Match, Rule } from '../../../src/program/ruleset.ts';
import { baseChain, CLIENT, chain, clusterIpProgram, filterProgram, rule } from './small-programs.ts';
import { ACK, packet, replyTo, TestNode } from './test-node.ts';

const onlyNew: Match = { kind: 'conntrackState', states: ['NEW'] };
const known: Match = { kind: 'conntrackState', states: ['RELATED', 'ESTABLISHED'] };
const fromClient: Match = { kind: 'source', prefix: `${CLIENT}/32` };
const drop = { kind: 'drop' } as const;
const none = rule([], { kind: 'none' });

function forwardPath(rules: readonly Rule[], policy: 'accept' | 'drop' = 'accept', ...others: Chain[]): number | 'run' | undefined {
  return proofOf(filterProgram([baseChain('FORWARD', 'filter', rules, policy), ...others])).paths[PATH_FORWARD];
}

describe('a path', () => {
  it('adds up the rules of its hooks', () => {
    const { paths } = proofOf(
      filterProgram([
        baseChain('PREROUTING', 'filter', [none]),
        baseChain('INPUT', 'filter', [none, none]),
        baseChain('FORWARD', 'filter', [none, none, none, none]),
        baseChain(
          'OUTPUT',
          'filter',
          Array.from({ length: 8 }, () => none),
        ),
        baseChain(
          'POSTROUTING',
          'filter',
          Array.from({ length: 16 }, () => none),
        ),
        { ...baseChain('POSTROUTING', 'nat', [none]), name: 'nat' },
      ]),
    );
    expect([PATH_FORWARD, PATH_INPUT, PATH_OUTPUT, PATH_LOOPBACK, PATH_IPVS].map((path) => paths[path])).toEqual([21, 3, 24, 27, 27]);
  });

  it('counts a rule for new connections and does not follow it', () => {
    expect(forwardPath([rule([onlyNew], { kind: 'jump', chain: 'A' }), none], 'accept', chain('A', rule([], drop)))).toBe(2);
  });

  it('ends where known connections are accepted, one chain down too', () => {
    const accepting = chain('A', rule([{ kind: 'conntrackState', states: ['INVALID'] }], drop), rule([known], { kind: 'accept' }));
    expect(forwardPath([rule([], { kind: 'jump', chain: 'A' }), rule([], drop)], 'drop', accepting)).toBe(3);
  });

  it('goes on after a chain that returns', () => {
    const returning = chain('A', none, rule([], { kind: 'return' }), none);
    expect(forwardPath([rule([], { kind: 'jump', chain: 'A' }), none], 'accept', returning)).toBe(4);
  });

  it('must run when an uncertain rule drops or leads to one that does', () => {
    expect(forwardPath([rule([fromClient], drop)])).toBe('run');
    expect(forwardPath([rule([fromClient], { kind: 'jump', chain: 'A' })], 'accept', chain('A', rule([], drop)))).toBe('run');
    expect(forwardPath([rule([fromClient], { kind: 'jump', chain: 'A' })], 'accept', chain('A', none))).toBe(1);
  });

  it('must run when an uncertain return can lead round the rule that accepts', () => {
    expect(forwardPath([rule([fromClient], { kind: 'return' }), rule([known], { kind: 'accept' })], 'drop')).toBe('run');
    expect(forwardPath([rule([fromClient], { kind: 'return' }), rule([known], { kind: 'accept' })], 'accept')).toBe(2);
  });

  it('must run when the policy drops what no rule accepts', () => {
    expect(forwardPath([rule([fromClient], { kind: 'accept' })], 'drop')).toBe('run');
  });

  it('needs no run for states that a known connection may not have', () => {
    const notKnown: Match = { kind: 'conntrackState', states: ['RELATED', 'ESTABLISHED', 'DNAT'], negated: true };
    expect(forwardPath([rule([fromClient, notKnown], drop)])).toBe(1);
    expect(forwardPath([rule([{ kind: 'conntrackState', states: ['DNAT'] }], drop)])).toBe('run');
  });
});

describe('a packet of a known connection', () => {
  it('counts the constant of its path', () => {
    const filterChains = [baseChain('FORWARD', 'filter', [rule([known], { kind: 'accept' }), none])];
    const node = new TestNode(clusterIpProgram({ endpoints: ['10.244.1.1'], filterChains }));
    node.process(replyTo(node.process(packet())));
    expect(node.process(packet({ tcpFlags: ACK }))).toMatchObject({ connection: 'ESTABLISHED', rulesEvaluated: 1 });
  });

  it('is NEW to the filter chains until it is answered', () => {
    const filterChains = [baseChain('FORWARD', 'filter', [rule([known], { kind: 'accept' }), rule([onlyNew], { kind: 'accept' }), none])];
    const node = new TestNode(clusterIpProgram({ endpoints: ['10.244.1.1'], filterChains }));
    const opened = node.process(packet());
    expect(node.process(packet())).toMatchObject({ action: 'DNAT', connection: 'ESTABLISHED', rulesEvaluated: 2 });
    node.process(replyTo(opened));
    expect(node.process(packet({ tcpFlags: ACK }))).toMatchObject({ action: 'DNAT', connection: 'ESTABLISHED', rulesEvaluated: 1 });
  });

  it('meets the filter chains that must run, with its translated destination, and can be dropped', () => {
    const toBackend: Match = { kind: 'destination', prefix: '10.244.1.1/32' };
    const marked: Match = { kind: 'mark', value: 1, mask: 1 };
    const filterChains = [baseChain('FORWARD', 'filter', [none, rule([toBackend, marked], drop, 'default/guard')])];
    const node = new TestNode(clusterIpProgram({ endpoints: ['10.244.1.1'], filterChains }));
    node.process(packet());
    expect(node.process(packet())).toMatchObject({ action: 'DNAT', rulesEvaluated: 2 });
    expect(node.process(packet({ mark: 1 }))).toMatchObject({ action: 'DROP', connection: 'ESTABLISHED', servicePort: 'default/guard' });
    expect(node.engine.counters(node.now)).toMatchObject({ established: 2, dropped: 1, dnat: 2 });
  });
});
