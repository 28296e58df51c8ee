// A packet's way through the hooks, for explain and trace: a third opinion beside both engines, walked on the Program itself.
import { PATH_FORWARD, PATH_INPUT, PATH_IPVS, PATH_LOOPBACK, PATH_OUTPUT } from '../../assembly/shared/layout.ts';
import { HOOK_PRIORITY, type Hook } from '../program/ruleset.ts';
import { endpointText, translateDestination, walkBaseChain } from './chains.ts';
import { type Endpoint, isSameEndpoint } from './packet.ts';
import type { Walk } from './walk.ts';
import { inTurn, note, refuse, type Stage, splitWay, type Way } from './way.ts';

/** Right after nf_nat (NF_IP_PRI_NAT_DST + 2). */
const IPVS_OUTPUT_PRIORITY = HOOK_PRIORITY.natDestination + 2;

/** Why a packet goes where it goes when no scheduler was asked. */
const BOUND_BY = {
  connection: ', which has its connection in IPVS already',
  template: ', which has its client (session affinity)',
} as const;

interface Section {
  readonly asksNat: boolean;
  readonly from?: number;
  readonly below?: number;
  /** The hook was entered before: this is its second part. */
  readonly isContinued?: true;
}

export type FirstHook = 'PREROUTING' | 'OUTPUT';

/**
 * The ways past the chains that see a packet before conntrack does, where these have a say: INVALID to their matches, and UNTRACKED from
 * a `CT --notrack` on.
 */
export function walkBeforeConntrack(walk: Walk, way: Way, startsAt: FirstHook | undefined): readonly Way[] {
  if (!walk.index.established.isAskedBeforeConntrack) return [way];
  way.packet.state = 'INVALID';
  return hook(firstHook(walk, way, startsAt), walk, { asksNat: false, below: HOOK_PRIORITY.conntrack })(way);
}

/** The ways of a packet that belongs to no known connection, and is past what stands before conntrack. */
export function walkHooks(walk: Walk, way: Way, startsAt: FirstHook | undefined): readonly Way[] {
  const isNew = way.packet.state === 'NEW';
  const stages = firstHook(walk, way, startsAt) === 'OUTPUT' ? fromNode(walk, isNew) : fromOutside(walk, isNew);
  return inTurn(way, isNew ? [...stages, settleSource(walk)] : stages);
}

function firstHook({ index }: Walk, { packet }: Way, startsAt: FirstHook | undefined): FirstHook {
  const first = startsAt ?? (index.isLocal(packet.arrived.source.address) ? 'OUTPUT' : 'PREROUTING');
  if (first === 'OUTPUT') packet.isInInterfaceKnown = true;
  return first;
}

/** The chains of the first hook that the packet has not met yet. */
function rest({ index }: Walk): Pick<Section, 'from' | 'isContinued'> {
  return index.established.isAskedBeforeConntrack ? { from: HOOK_PRIORITY.conntrack, isContinued: true } : {};
}

function fromOutside(walk: Walk, asksNat: boolean): readonly Stage[] {
  const forward = [hook('FORWARD', walk, { asksNat }), hook('POSTROUTING', walk, { asksNat })];
  const sentOn = [hook('OUTPUT', walk, { asksNat: false }), hook('POSTROUTING', walk, { asksNat })];
  const input: Stage[] = [
    hook('INPUT', walk, { asksNat }),
    scheduleIpvs(walk),
    (way) => (way.packet.virtual === undefined ? [way] : inTurn(way, sentOn)),
  ];
  return [hook('PREROUTING', walk, { asksNat, ...rest(walk) }), (way) => inTurn(way, route(walk, way) ? input : forward)];
}

function fromNode(walk: Walk, asksNat: boolean): readonly Stage[] {
  const backIn = [...(asksNat ? [settleSource(walk)] : []), walkBackIn(walk)];
  return [
    hook('OUTPUT', walk, { asksNat, ...rest(walk), below: IPVS_OUTPUT_PRIORITY }),
    scheduleIpvs(walk),
    hook('OUTPUT', walk, { asksNat, from: IPVS_OUTPUT_PRIORITY, isContinued: true }),
    hook('POSTROUTING', walk, { asksNat }),
    (way) => (route(walk, way) ? inTurn(way, backIn) : [way]),
  ];
}

/** The node's own packet to itself comes back in through lo; nat is not asked again. */
function walkBackIn(walk: Walk): Stage {
  return (way) => {
    way.packet.inInterface = 'lo';
    return inTurn(way, [hook('PREROUTING', walk, { asksNat: false }), hook('INPUT', walk, { asksNat: false })]);
  };
}

/** The filter chains that a packet of a known connection meets on its path. */
export function walkKnownPath(
  walk: Walk,
  way: Way,
  path: number,
  to: { readonly source: Endpoint; readonly destination: Endpoint },
): readonly Way[] {
  const run = (name: Hook, section: Omit<Section, 'asksNat'> = {}) => hook(name, walk, { asksNat: false, ...section });
  const redirect: Stage = (each) => {
    each.packet.destination = to.destination;
    return [each];
  };
  if (path === PATH_IPVS) return inTurn(way, [run('PREROUTING', rest(walk)), run('INPUT'), redirect, run('OUTPUT'), run('POSTROUTING')]);
  const first = path === PATH_OUTPUT || path === PATH_LOOPBACK ? 'OUTPUT' : 'PREROUTING';
  const begin = [
    run(first, { ...rest(walk), below: HOOK_PRIORITY.natDestination }),
    redirect,
    run(first, { from: HOOK_PRIORITY.natDestination, isContinued: true }),
  ];
  if (path === PATH_INPUT) return inTurn(way, [...begin, run('INPUT')]);
  if (path === PATH_FORWARD) return inTurn(way, [...begin, run('FORWARD'), run('POSTROUTING')]);
  if (path === PATH_OUTPUT) return inTurn(way, [...begin, run('POSTROUTING')]);
  const backIn: Stage = (each) => {
    each.packet.source = to.source;
    return walkBackIn(walk)(each);
  };
  return inTurn(way, [...begin, run('POSTROUTING'), backIn]);
}

/** The base chains of a hook, or of a part of it. */
function hook(name: Hook, walk: Walk, section: Section): Stage {
  const { asksNat, from = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = section;
  const isDestinationHook = name === 'PREROUTING' || name === 'OUTPUT';
  const isBound = ({ packet }: Way) => (isDestinationHook ? packet.isDnat : packet.sourceTarget !== undefined);
  const chains = walk.index.baseChains(name).filter(({ base }) => base.priority >= from && base.priority < below);
  const stages = chains.map((chain): Stage => {
    if (chain.base.type !== 'nat') return (way) => walkBaseChain(chain, way, walk);
    return (way) => (asksNat && !isBound(way) ? walkBaseChain(chain, way, walk) : [way]);
  });
  return (way) => {
    if (!section.isContinued) note(way, () => ({ kind: 'hook', hook: name }));
    return inTurn(way, stages);
  };
}

/** True: the packet is for this node. */
function route({ index }: Walk, way: Way): boolean {
  const { address } = way.packet.destination;
  if (way.packet.isForProxy) {
    note(way, () => ({ kind: 'routing', text: `${address.text} goes to a proxy on this node`, isLocal: true }));
    return true;
  }
  const isLocal = index.isLocal(address);
  note(way, () => ({
    kind: 'routing',
    text: `${address.text} is ${isLocal ? 'an address of this node' : 'not an address of this node'}`,
    isLocal,
  }));
  return isLocal;
}

function scheduleIpvs({ index, chooser }: Walk): Stage {
  return (way) => {
    const { packet } = way;
    if (packet.state !== 'NEW' || !isSameEndpoint(packet.destination, packet.arrived.destination)) return [way];
    const virtual = packet.destination;
    const service = index.virtualService(packet.protocol, virtual);
    const own = { ...virtual, port: service?.port ?? virtual.port };
    const servicePort = service?.servicePort;
    const say = (on: Way, text: string, probability?: number) =>
      note(on, () => ({
        kind: 'ipvs',
        text: `virtual service ${packet.protocol} ${endpointText(own)} ${service?.scheduler ?? 'is gone'}: ${text}`,
        ...(servicePort === undefined ? {} : { servicePort }),
        ...(probability === undefined ? {} : { probability }),
      }));
    const chosen = chooser.schedule(service, packet);
    if (chosen.length === 0) {
      say(way, 'no destination is usable');
      packet.servicePort = servicePort;
      return [refuse(way, 'REJECT')];
    }
    return chosen.map(({ value, probability, by }, at) => {
      const sent = at === chosen.length - 1 ? way : splitWay(way);
      sent.probability *= probability;
      if (value === 'leave') {
        if (service !== undefined) say(sent, 'the packet begins no connection, and passes by');
        return sent;
      }
      if (value === 'drop') {
        say(sent, 'the server of its connection is gone, and the packet is dropped');
        return refuse(sent, 'DROP');
      }
      const to = { address: index.address(value.address), port: value.port };
      say(sent, `${endpointText(to)}${by === undefined ? '' : BOUND_BY[by]}`, probability);
      sent.packet.virtual = virtual;
      translateDestination(sent, to, servicePort);
      return sent;
    });
  };
}

/** Applies masquerade or snat, and keeps the reply tuple unique; once for a packet. */
function settleSource({ index, chooser }: Walk): Stage {
  return (way) => {
    const { packet } = way;
    if (packet.isSourceSettled) return [way];
    packet.isSourceSettled = true;
    const before = packet.source;
    const target = packet.sourceTarget;
    const drop = (why: string) => {
      note(way, () => ({ kind: 'translation', text: `source ${endpointText(before)} ${why}` }));
      return [refuse(way, 'DROP')];
    };
    if (target !== undefined) {
      const text = target.kind === 'snat' ? target.address : index.program.masqueradeAddress;
      if (text === undefined) return drop('cannot be masqueraded: the node has no address for it');
      packet.source = { address: index.address(text), port: target.kind === 'snat' ? (target.port ?? before.port) : before.port };
    }
    if (!chooser.settlePort(packet)) return drop(`finds no free port at ${packet.source.address.text}`);
    const after = packet.source;
    if (!isSameEndpoint(before, after)) {
      note(way, () => ({ kind: 'translation', text: `source ${endpointText(before)} becomes ${endpointText(after)}` }));
    }
    return [way];
  };
}
