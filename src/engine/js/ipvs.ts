// IPVS of the node: src/ipvs/js beside this engine's own conntrack. One namespace for both families, which draws from the engine's generator.
import { type Address, type Family, familyOfWords, formatAddress } from '../../address.ts';
import type { EnginePacket, EngineSysctls, Foresight, RealServer } from '../../ipvs/engine.ts';
import { JsIpvs } from '../../ipvs/js/engine.ts';
import type { RandomSource } from '../../ipvs/js/namespace.ts';
import type { PacketOutcome } from '../../ipvs/js/packet.ts';
import type { TransportProtocol } from '../../packet.ts';
import type { Change } from '../../program/change.ts';
import type { IpvsTimeouts, VirtualService } from '../../program/virtual-service.ts';
import type { ProtocolHeader } from '../engine.ts';
import { ipvsPacket } from '../ipvs-packet.ts';
import { IpvsSync, type SyncPlan } from '../ipvs-sync.ts';
import { virtualServiceId } from '../wanted-services.ts';
import type { AddressWords } from './addresses.ts';
import type { Tuple } from './flight.ts';

/** Where IPVS sends a packet, or how it ends there. `leave`: it goes on as without IPVS. */
export type IpvsAnswer =
  | { readonly kind: 'forward'; readonly address: AddressWords; readonly port: number; readonly servicePort: number }
  | { readonly kind: 'noServer'; readonly servicePort: number }
  | { readonly kind: 'drop' | 'leave' };

export class NodeIpvs {
  readonly #ipvs: JsIpvs;
  readonly #sync: IpvsSync;

  /** @param forget removes the conntrack entry of a connection that ended, by the tuple of its client's packets. */
  constructor(
    random: RandomSource,
    sysctls: EngineSysctls,
    servicePortId: (name: string) => number,
    forget: (protocol: TransportProtocol, tuple: Tuple) => void,
  ) {
    this.#ipvs = new JsIpvs({ random, sysctls, hasConntrackHooks: false }, (ended) => {
      const { protocol, client, clientPort, virtual, virtualPort } = ended;
      if (protocol === 'IP' || !ended.isTracked) return;
      forget(protocol, { source: client.words, sourcePort: clientPort, destination: virtual.words, destinationPort: virtualPort });
    });
    this.#sync = new IpvsSync(this.#ipvs, servicePortId);
  }

  /** Reads a change of the virtual services; nothing moves yet. @throws InvalidArgumentError, UnsupportedError */
  plan(family: Family, change: Change<VirtualService>, all: () => readonly VirtualService[]): SyncPlan {
    return this.#sync.plan(family, change, all);
  }

  load(plan: SyncPlan, timeouts: IpvsTimeouts | undefined, now: number): void {
    this.#sync.load(plan, timeouts, now);
  }

  /** Moves the clock, which never goes back. */
  advance(now: number): void {
    this.#sync.advance(now);
  }

  /** Before each packet: connections that the one before ended are gone. */
  fireTimers(): void {
    this.#ipvs.fireTimers();
  }

  /** A client's packet of no connection that conntrack knows. */
  fromClient(protocol: TransportProtocol, tuple: Tuple, header: ProtocolHeader): IpvsAnswer {
    const packet = packetOf(protocol, tuple, header, false);
    const outcome = this.#ipvs.route(packet, false);
    switch (outcome.kind) {
      case 'forward': {
        const { server, serverPort } = outcome.connection;
        return { kind: 'forward', address: server.key.address.words, port: serverPort, servicePort: this.#ipvs.tagOf(packet) };
      }
      case 'noServer':
        return { kind: 'noServer', servicePort: outcome.service.tag };
      case 'translate':
        return { kind: 'leave' };
      default:
        return outcome;
    }
  }

  /** A client's packet of a connection that IPVS made and conntrack knows. */
  followClient(protocol: TransportProtocol, tuple: Tuple, header: ProtocolHeader): PacketOutcome['kind'] {
    return this.#ipvs.route(packetOf(protocol, tuple, header, false), true).kind;
  }

  /** A server's packet to a client, of a connection that IPVS made and conntrack knows. */
  followServer(protocol: TransportProtocol, tuple: Tuple, header: ProtocolHeader): void {
    this.#ipvs.route(packetOf(protocol, tuple, header, true), true);
  }

  /** What would become of a client's packet. Nothing moves. */
  foresee(protocol: TransportProtocol, tuple: Tuple, header: ProtocolHeader, isConfirmed: boolean): Foresight {
    return this.#ipvs.foresee(packetOf(protocol, tuple, header, false), isConfirmed);
  }

  /** In the kernel's order; undefined: there is no such service. */
  realServers(protocol: TransportProtocol, address: string, port: number): readonly RealServer[] | undefined {
    return this.#ipvs.realServers(virtualServiceId({ protocol, address, port }))?.map(({ key, weight, lastWeight, active, total }) => {
      return { address: key.address.text, port: key.port, weight, lastWeight, active, inactive: total - active };
    });
  }
}

function packetOf(protocol: TransportProtocol, tuple: Tuple, header: ProtocolHeader, isFromServer: boolean): EnginePacket {
  const { source, sourcePort, destination, destinationPort } = tuple;
  const ends = { source: new PacketAddress(source), sourcePort, destination: new PacketAddress(destination), destinationPort };
  return ipvsPacket(protocol, ends, header, isFromServer);
}

/** An address whose text is made only for those who read it: packets go by its words. */
class PacketAddress implements Address {
  readonly words: AddressWords;

  constructor(words: AddressWords) {
    this.words = words;
  }

  get family(): Family {
    return familyOfWords(this.words);
  }

  get text(): string {
    return formatAddress(this.words);
  }
}
