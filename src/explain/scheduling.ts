// The odds that an IPVS scheduler gives each real server for a new connection: rr and wrr its share over one round; sh, dh and mh the server of
// this tuple; twos its exact odds; all others the server that they would pick now.
import { formatEndpoint, parseAddress } from '../address.ts';
import type { EngineView } from '../engine/engine.ts';
import { nodeIpvsSysctls } from '../engine/ipvs-sysctls.ts';
import type { RealServer } from '../ipvs/engine.ts';
import { Namespace } from '../ipvs/js/namespace.ts';
import { connectionLoad, isLessLoaded } from '../ipvs/js/schedulers/load.ts';
import { bindScheduler } from '../ipvs/js/schedulers.ts';
import { createServer, isUsable, type Server } from '../ipvs/js/server.ts';
import { readServiceKey } from '../ipvs/references.ts';
import { readServiceSettings } from '../ipvs/settings.ts';
import type { Destination, VirtualService } from '../program/virtual-service.ts';
import type { WalkedPacket } from './packet.ts';

/** What IPVS has at the moment. */
export type IpvsView = Pick<EngineView, 'realServers' | 'foreseeIpvs'>;

export interface ServerOdds {
  readonly destination: Pick<Destination, 'address' | 'port'>;
  readonly share: number;
}

/** In the order in which servers were added; none: no server is usable. Without a view, the servers are those of the Program, and nobody is connected. */
export function schedulerOdds(service: VirtualService, packet: WalkedPacket, view: IpvsView | undefined): readonly ServerOdds[] {
  const { port } = packet.destination;
  const all = oddsOf(service, packet, view);
  // FTP data keeps the port that was asked for.
  return port === service.port ? all : all.map(({ destination, share }) => ({ destination: { ...destination, port }, share }));
}

function oddsOf(service: VirtualService, packet: WalkedPacket, view: IpvsView | undefined): readonly ServerOdds[] {
  const real = view?.realServers(service.protocol, service.address, service.port) ?? freshServers(service);
  const servers = real.map((server) => serverOf(server));
  const usable = servers.filter(isUsable);
  switch (service.scheduler) {
    case 'rr':
      return usable.map((server) => odds(server, 1 / usable.length)).reverse();
    case 'wrr':
      return byWeight(usable).reverse();
    case 'twos':
      return ofTwoChoices(usable).reverse();
    case 'lblc':
    case 'lblcr': {
      const foresight = view === undefined ? undefined : foresee(packet, view);
      const isKnown = foresight?.kind === 'forward' && foresight.by === 'scheduler';
      return isKnown ? [{ destination: foresight.destination, share: 1 }] : picked(service, servers, packet);
    }
    default:
      return picked(service, servers, packet);
  }
}

/** What IPVS would do with the packet, had conntrack not seen it before. */
export function foresee(packet: WalkedPacket, view: IpvsView): ReturnType<IpvsView['foreseeIpvs']> {
  const { source, destination } = packet.arrived;
  const tuple = {
    source: source.address.text,
    sourcePort: source.port,
    destination: destination.address.text,
    destinationPort: destination.port,
  };
  return view.foreseeIpvs(packet.protocol, tuple, packet, false);
}

/** kube-proxy adds them in the order of the Program, each at the front. */
function freshServers({ destinations }: VirtualService): readonly RealServer[] {
  return destinations.map((destination) => ({ ...destination, lastWeight: destination.weight, active: 0, inactive: 0 })).reverse();
}

function byWeight(usable: readonly Server[]): ServerOdds[] {
  const total = usable.reduce((sum, { weight }) => sum + weight, 0);
  return usable.map((server) => odds(server, server.weight / total));
}

/** Each draw reaches from 0 to the sum of weights, so that the front server has one chance more; the second one is taken if less loaded. */
function ofTwoChoices(usable: readonly Server[]): ServerOdds[] {
  const total = usable.reduce((sum, { weight }) => sum + weight, 0);
  const drawn = usable.map(({ weight }, index) => (weight + (index === 0 ? 1 : 0)) / (total + 1));
  const shares = usable.map(() => 0);
  usable.forEach((first, a) => {
    usable.forEach((second, b) => {
      const taken = isLessLoaded(second, first, connectionLoad) ? b : a;
      shares[taken] = (shares[taken] ?? 0) + (drawn[a] ?? 0) * (drawn[b] ?? 0);
    });
  });
  return usable.map((server, index) => odds(server, shares[index] ?? 0));
}

/** The scheduler itself, bound to these servers, decides. */
function picked(service: VirtualService, servers: readonly Server[], { arrived }: WalkedPacket): readonly ServerOdds[] {
  const { protocol, address, port, scheduler, flags } = service;
  const settings = readServiceSettings({ scheduler, flags }, readServiceKey({ protocol, address, port }, String), String);
  const namespace = new Namespace({ random: { state: 1 }, sysctls: nodeIpvsSysctls('ipvs'), hasConntrackHooks: false });
  const { source, destination } = arrived;
  const flow = { source: source.address, sourcePort: source.port, destination: destination.address };
  const server = bindScheduler({ settings, servers }, namespace).pick(flow);
  return server === undefined ? [] : [odds(server, 1)];
}

function odds({ key }: Server, share: number): ServerOdds {
  return { destination: { address: key.address.text, port: key.port }, share };
}

function serverOf({ address: text, port, weight, lastWeight, active, inactive }: RealServer): Server {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`real server ${text} has no address`);
  const server = createServer('', { id: formatEndpoint(text, port), address, port });
  return Object.assign(server, { weight, lastWeight, active, total: active + inactive, isAvailable: true });
}
