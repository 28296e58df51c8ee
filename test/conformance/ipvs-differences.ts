// Packets of the flows for iptables and nftables that go another way in IPVS mode: each with what IPVS does, and the sentence of the
// behaviour manual (kube-proxy-behaviour.md) that says so. All other packets of those flows must go the same way in all three modes.
import type { FlowPacket } from './flow-run.ts';

export interface IpvsDifference {
  readonly flow: string;
  readonly packet: string;
  readonly expect: FlowPacket['expect'];
  readonly because: string;
}

const ONLY_LOCAL =
  '5.3: Real servers: … onlyLocal and local set non-empty → local set. (A virtual service has one list of servers: no short-circuit for pods and the node.)';
const LOCAL_EMPTY =
  '5.3: onlyLocal and local set empty → cluster set (so that pods and the node still reach it; packets from outside are then not masqueraded and usually get no answer back).';
const NEVER_MASQUERADED = '5.5: ETP Local is never masqueraded.';

function toLocal(flow: string, packet: string, backend: string, because = ONLY_LOCAL): IpvsDifference {
  return { flow, packet, expect: { verdict: 'DNAT', backends: [backend], masquerade: false }, because };
}

export const IPVS_DIFFERENCES: readonly IpvsDifference[] = [
  toLocal('external-policy-local', 'pod -> externalIP', '10.180.2.1:80'),
  toLocal('external-policy-local', 'pod -> LB IP', '10.180.2.1:80'),
  toLocal('external-policy-local', 'pod -> NodePort', '10.180.2.1:80'),
  toLocal('masquerade-matrix-base', 'pod -> NodePort eTP:Local', '10.180.0.2:80'),
  toLocal('masquerade-matrix-base', 'pod -> LB IP eTP:Local', '10.180.0.2:80'),
  toLocal('masquerade-matrix-base', 'node -> LB IP eTP:Local', '10.180.0.2:80', `${ONLY_LOCAL} ${NEVER_MASQUERADED}`),
  toLocal(
    'masquerade-matrix-base-node-to-local-nodeport',
    'node -> NodePort eTP:Local',
    '10.180.0.2:80',
    `${ONLY_LOCAL} ${NEVER_MASQUERADED}`,
  ),
  toLocal('overall-tracer-shared', 'client -> externalIP of eTP:Local service without local endpoint', '10.180.0.2:80', LOCAL_EMPTY),
  toLocal('terminating-local-remote-terminating', 'client -> LB IP', '10.0.1.5:80', LOCAL_EMPTY),
  toLocal(
    'overall-tracer-shared',
    'node -> externalIP of eTP:Local service without local endpoint is short-circuited',
    '10.180.0.2:80',
    NEVER_MASQUERADED,
  ),
];
