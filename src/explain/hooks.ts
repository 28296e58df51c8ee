// A packet's way through the hooks, for explain and trace: a third opinion beside both engines, walked on the Program itself.
import { PATH_FORWARD, PATH_INPUT, PATH_IPVS, PATH_LOOPBACK, PATH_OUTPUT } from '../../assembly/shared/layout.ts';
import { HOOK_PRIORITY, type Hook } from '../program/ruleset.ts';
import { endpointText, type Refusal, translateDestination, type Walk, walkBaseChain } from './chains.ts';
import { type Endpoint, isSameEndpoint } from './packet.ts';

/** Right after nf_nat (NF_IP_PRI_NAT_DST + 2). */
const IPVS_OUTPUT_PRIORITY = HOOK_PRIORITY.natDestination + 2;

interface Section {
  readonly asksNat: boolean;
  readonly from?: number;
  readonly below?: number;
}

/** The way of a packet that belongs to no known connection. Undefined: it got through. */
export function walkHooks(walk: Walk, startsAt: 'PREROUTING' | 'OUTPUT' | undefined): Refusal | undefined {
  const start = startsAt ?? (walk.index.isLocal(walk.packet.source.address) ? 'OUTPUT' : 'PREROUTING');
  if (start === 'OUTPUT') walk.packet.isInInterfaceKnown = true;
  const refusal = start === 'OUTPUT' ? walkFromNode(walk) : walkFromOutside(walk);
  if (refusal !== undefined || walk.packet.state !== 'NEW') return refusal;
  return settleSource(walk);
}

function walkFromOutside(walk: Walk): Refusal | undefined {
  const { packet } = walk;
  const section = { asksNat: packet.state === 'NEW' };
  const refusal = runHook('PREROUTING', walk, section);
  if (refusal !== undefined) return refusal;
  if (!route(walk)) return runHook('FORWARD', walk, section) ?? runHook('POSTROUTING', walk, section);
  const refused = runHook('INPUT', walk, section) ?? scheduleIpvs(walk);
  if (refused !== undefined || packet.virtual === undefined) return refused;
  return runHook('OUTPUT', walk, { asksNat: false }) ?? runHook('POSTROUTING', walk, section);
}

function walkFromNode(walk: Walk): Refusal | undefined {
  const asksNat = walk.packet.state === 'NEW';
  const refusal =
    runHook('OUTPUT', walk, { asksNat, below: IPVS_OUTPUT_PRIORITY }) ??
    scheduleIpvs(walk) ??
    runHook('OUTPUT', walk, { asksNat, from: IPVS_OUTPUT_PRIORITY }, 'again') ??
    runHook('POSTROUTING', walk, { asksNat });
  if (refusal !== undefined || !route(walk)) return refusal;
  return (asksNat ? settleSource(walk) : undefined) ?? walkBackIn(walk);
}

/** The node's own packet to itself comes back in through lo; nat is not asked again. */
function walkBackIn(walk: Walk): Refusal | undefined {
  walk.packet.inInterface = 'lo';
  return runHook('PREROUTING', walk, { asksNat: false }) ?? runHook('INPUT', walk, { asksNat: false });
}

/** The filter chains that a packet of a known connection meets on its path. */
export function walkKnownPath(
  walk: Walk,
  path: number,
  to: { readonly source: Endpoint; readonly destination: Endpoint },
): Refusal | undefined {
  const { packet } = walk;
  const run = (hook: Hook, section: Omit<Section, 'asksNat'> = {}, again?: 'again') =>
    runHook(hook, walk, { asksNat: false, ...section }, again);
  if (path === PATH_IPVS) {
    const refusal = run('PREROUTING') ?? run('INPUT');
    packet.destination = to.destination;
    return refusal ?? run('OUTPUT') ?? run('POSTROUTING');
  }
  const first = path === PATH_OUTPUT || path === PATH_LOOPBACK ? 'OUTPUT' : 'PREROUTING';
  const refusal = run(first, { below: HOOK_PRIORITY.natDestination });
  packet.destination = to.destination;
  const refused = refusal ?? run(first, { from: HOOK_PRIORITY.natDestination }, 'again');
  if (refused !== undefined) return refused;
  if (path === PATH_INPUT) return run('INPUT');
  if (path === PATH_FORWARD) return run('FORWARD') ?? run('POSTROUTING');
  const dropped = run('POSTROUTING');
  if (dropped !== undefined || path === PATH_OUTPUT) return dropped;
  packet.source = to.source;
  return walkBackIn(walk);
}

/** `again`: the hook was entered already, this is its second part. */
function runHook(hook: Hook, walk: Walk, section: Section, again?: 'again'): Refusal | undefined {
  const { asksNat, from = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = section;
  const { index, packet, steps } = walk;
  if (again === undefined) steps.push({ kind: 'hook', hook });
  const isDestinationHook = hook === 'PREROUTING' || hook === 'OUTPUT';
  for (const chain of index.baseChains(hook)) {
    const { priority, type } = chain.base;
    const isBound = isDestinationHook ? packet.isDnat : packet.sourceTarget !== undefined;
    if (priority < from || priority >= below || (type === 'nat' && (!asksNat || isBound))) continue;
    const refusal = walkBaseChain(chain, walk);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** True: the packet is for this node. */
function route({ index, packet, steps }: Walk): boolean {
  const { text } = packet.destination.address;
  const isLocal = index.isLocal(packet.destination.address);
  steps.push({ kind: 'routing', text: isLocal ? `${text} is an address of this node` : `${text} is not an address of this node`, isLocal });
  return isLocal;
}

function scheduleIpvs(walk: Walk): Refusal | undefined {
  const { index, packet, steps, chooser } = walk;
  if (packet.state !== 'NEW' || !isSameEndpoint(packet.destination, packet.arrived.destination)) return undefined;
  const service = index.virtualService(packet.protocol, packet.destination);
  if (service === undefined) return undefined;
  const { servicePort } = service;
  const name = `virtual service ${service.protocol} ${endpointText(packet.destination)} ${service.scheduler}`;
  const chosen = chooser.schedule(service);
  if (chosen === undefined) {
    steps.push({ kind: 'ipvs', text: `${name}: no destination is usable`, servicePort });
    packet.servicePort = servicePort;
    return 'REJECT';
  }
  const to = { address: index.address(chosen.value.address), port: chosen.value.port };
  steps.push({ kind: 'ipvs', text: `${name}: ${endpointText(to)}`, servicePort, probability: chosen.probability });
  packet.virtual = packet.destination;
  translateDestination(walk, to, servicePort);
  return undefined;
}

/** Applies masquerade or snat, and keeps the reply tuple unique; once for a packet. */
function settleSource(walk: Walk): Refusal | undefined {
  const { index, packet, steps, chooser } = walk;
  if (packet.isSourceSettled) return undefined;
  packet.isSourceSettled = true;
  const before = packet.source;
  const target = packet.sourceTarget;
  if (target !== undefined) {
    const text = target.kind === 'snat' ? target.address : index.program.masqueradeAddress;
    if (text === undefined) {
      steps.push({ kind: 'translation', text: `source ${endpointText(before)} cannot be masqueraded: the node has no address for it` });
      return 'DROP';
    }
    packet.source = { address: index.address(text), port: target.kind === 'snat' ? (target.port ?? before.port) : before.port };
  }
  if (!chooser.settlePort(packet)) {
    steps.push({ kind: 'translation', text: `source ${endpointText(before)} finds no free port at ${packet.source.address.text}` });
    return 'DROP';
  }
  if (!isSameEndpoint(before, packet.source)) {
    steps.push({ kind: 'translation', text: `source ${endpointText(before)} becomes ${endpointText(packet.source)}` });
  }
  return undefined;
}
