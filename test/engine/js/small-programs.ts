// Small Programs written by hand, shaped like kube-proxy's, for the tests of the TypeScript engine and of explain.
import type { Program } from '../../../src/program/program.ts';
import type { Chain, ChainType, Hook, Match, Rule, Target } from '../../../src/program/ruleset.ts';
import type { VirtualService } from '../../../src/program/virtual-service.ts';

export const CLUSTER_IP = '10.96.0.10';
export const NODE_IP = '192.168.0.1';
export const CLIENT = '10.0.0.99';
export const WEB = 'default/web:http';
export const MASQUERADE_MARK = 0x4000;

const PRIORITIES: Readonly<Record<ChainType, number>> = { nat: -100, filter: 0, route: -150 };

export function rule(matches: readonly Match[], target: Target, servicePort?: string): Rule {
  return servicePort === undefined ? { matches, target } : { matches, target, servicePort };
}

export function chain(name: string, ...rules: Rule[]): Chain {
  return { name, rules };
}

export function baseChain(hook: Hook, type: ChainType, rules: readonly Rule[], policy: 'accept' | 'drop' = 'accept'): Chain {
  const isSource = type === 'nat' && (hook === 'POSTROUTING' || hook === 'INPUT');
  return { name: hook, rules, base: { hook, type, priority: isSource ? 100 : PRIORITIES[type], policy } };
}

export function program(parts: Partial<Program> = {}): Program {
  return {
    family: 'IPv4',
    tables: [],
    sets: [],
    maps: [],
    virtualServices: [],
    localAddresses: ['127.0.0.0/8', NODE_IP],
    masqueradeAddress: NODE_IP,
    ...parts,
  };
}

/** A Program whose filter table has these chains only. */
export function filterProgram(chains: readonly Chain[], parts: Partial<Program> = {}): Program {
  return program({ tables: [{ name: 'filter', chains }], ...parts });
}

export const toClusterIp: readonly Match[] = [
  { kind: 'destination', prefix: `${CLUSTER_IP}/32` },
  { kind: 'protocol', protocol: 'tcp' },
  { kind: 'destinationPort', from: 80, to: 80 },
];

const markForMasquerade: Target = { kind: 'mark', value: MASQUERADE_MARK, mask: MASQUERADE_MARK };
const isMarked = { kind: 'mark', value: MASQUERADE_MARK, mask: MASQUERADE_MARK } satisfies Match;

export interface ServiceShape {
  readonly endpoints: readonly string[];
  /** Masquerades everything, as `masqueradeAll`. */
  readonly masqueradesAll?: boolean;
  readonly randomFully?: boolean;
  readonly affinitySeconds?: number;
  /** Matches of the capture rule in nat KUBE-SERVICES. */
  readonly capture?: readonly Match[];
  readonly filterChains?: readonly Chain[];
}

/** kube-proxy's iptables rules of one ClusterIP. Endpoints listen on 8080. */
export function clusterIpProgram(shape: ServiceShape, parts: Partial<Program> = {}): Program {
  const { endpoints, affinitySeconds, capture = toClusterIp } = shape;
  const toServices = rule([], { kind: 'jump', chain: 'KUBE-SERVICES' });
  const sepName = (endpoint: string) => `KUBE-SEP-${endpoint}`;
  const affinityRules =
    affinitySeconds === undefined
      ? []
      : endpoints.map((endpoint) =>
          rule([{ kind: 'recent', operation: 'rcheck', list: sepName(endpoint), seconds: affinitySeconds, reap: true }], {
            kind: 'jump',
            chain: sepName(endpoint),
          }),
        );
  const randomRules = endpoints.map((endpoint, index) =>
    rule(index === endpoints.length - 1 ? [] : [oneOf(endpoints.length - index)], { kind: 'jump', chain: sepName(endpoint) }),
  );
  const masqueradeRules = shape.masqueradesAll ? [rule([], { kind: 'jump', chain: 'KUBE-MARK-MASQ' })] : [];
  return program({
    tables: [
      { name: 'filter', chains: shape.filterChains ?? [] },
      {
        name: 'nat',
        chains: [
          baseChain('PREROUTING', 'nat', [toServices]),
          baseChain('OUTPUT', 'nat', [toServices]),
          baseChain('POSTROUTING', 'nat', [rule([], { kind: 'jump', chain: 'KUBE-POSTROUTING' })]),
          chain('KUBE-SERVICES', rule(capture, { kind: 'jump', chain: 'KUBE-SVC' }, WEB)),
          chain('KUBE-SVC', ...masqueradeRules, ...affinityRules, ...randomRules),
          ...endpoints.map((endpoint) => sepChain(sepName(endpoint), endpoint, affinitySeconds !== undefined)),
          chain('KUBE-MARK-MASQ', rule([], markForMasquerade)),
          chain(
            'KUBE-POSTROUTING',
            rule([{ ...isMarked, negated: true }], { kind: 'return' }),
            rule([], { kind: 'mark', value: MASQUERADE_MARK, mask: 0 }),
            rule([], { kind: 'masquerade', randomFully: shape.randomFully ?? false }),
          ),
        ],
      },
    ],
    ...parts,
  });
}

/** `--probability 1/n`, written with ten decimals as kube-proxy does. */
export function oneOf(n: number): Match {
  return { kind: 'statistic', threshold: Math.round(Number((1 / n).toFixed(10)) * 0x80000000) };
}

export function virtualService(parts: Partial<VirtualService> = {}): VirtualService {
  return { protocol: 'TCP', address: CLUSTER_IP, port: 80, scheduler: 'rr', flags: [], destinations: [], servicePort: WEB, ...parts };
}

function sepChain(name: string, endpoint: string, hasAffinity: boolean): Chain {
  const affinity: Match[] = hasAffinity ? [{ kind: 'recent', operation: 'set', list: name }] : [];
  return chain(
    name,
    rule([{ kind: 'source', prefix: `${endpoint}/32` }], { kind: 'jump', chain: 'KUBE-MARK-MASQ' }),
    rule([...affinity, { kind: 'protocol', protocol: 'tcp' }], { kind: 'dnat', address: endpoint, port: 8080 }, WEB),
  );
}
