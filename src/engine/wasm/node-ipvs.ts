// IPVS of the node: a namespace of src/ipvs/wasm in the engine's own memory. IpvsSync drives it; the core hands packets over to it, from
// the first virtual service on.
import { CONNTRACK_NODE, SERVERS_MAX } from '../../../assembly/shared/ipvs-layout.ts';
import { type Address, type Family, parseAddress } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import type { EngineSysctls, Foresight, RealServer } from '../../ipvs/engine.ts';
import { type IpvsParts, WasmIpvs } from '../../ipvs/wasm/engine.ts';
import type { TransportProtocol } from '../../packet.ts';
import type { Change } from '../../program/change.ts';
import type { IpvsTimeouts, VirtualService } from '../../program/virtual-service.ts';
import type { ProtocolHeader, TupleText } from '../engine.ts';
import { ipvsPacket } from '../ipvs-packet.ts';
import { IpvsSync, type SyncPlan } from '../ipvs-sync.ts';
import { virtualServiceId } from '../wanted-services.ts';
import type { Core } from './core.ts';
import type { LinearMemory } from './memory.ts';

export class NodeIpvs {
  readonly #ipvs: WasmIpvs;
  readonly #sync: IpvsSync;
  readonly #publish: (namespace: number) => void;
  /** The core knows the namespace: there was a virtual service. */
  #isPublished = false;

  /** `publish` stores the address of the namespace, which the core looks at then. */
  constructor(
    core: Core,
    memory: LinearMemory,
    sysctls: EngineSysctls,
    servicePortId: (name: string) => number,
    publish: (namespace: number) => void,
  ) {
    this.#ipvs = new WasmIpvs(core, memory, { sysctls, conntrack: CONNTRACK_NODE });
    this.#sync = new IpvsSync(this.#ipvs, servicePortId, SERVERS_MAX);
    this.#publish = publish;
  }

  /** Reads a change of the virtual services; nothing moves yet. @throws InvalidArgumentError, UnsupportedError, CapacityError */
  plan(family: Family, change: Change<VirtualService>, all: () => readonly VirtualService[]): SyncPlan {
    return this.#sync.plan(family, change, all);
  }

  load(plan: SyncPlan, timeouts: IpvsTimeouts | undefined, now: number): void {
    this.#ipvs.reserveServices(plan.family, plan.wanted.length);
    this.#sync.load(plan, timeouts, now);
    if (this.#isPublished || plan.wanted.length === 0) return;
    this.#publish(this.#ipvs.address);
    this.#isPublished = true;
  }

  /** Moves the clock, which never goes back. */
  advance(now: number): void {
    this.#sync.advance(now);
  }

  /** Before packets: room for what they may begin. */
  reserve(packets: number): void {
    if (this.#isPublished) this.#ipvs.reserve(packets);
  }

  get connectionBytes(): number {
    return this.#ipvs.connectionBytes;
  }

  get serviceBytes(): number {
    return this.#ipvs.serviceBytes;
  }

  /** What would become of a client's packet. Nothing moves. */
  foresee(protocol: TransportProtocol, tuple: TupleText, header: ProtocolHeader, isConfirmed: boolean): Foresight {
    const ends = { ...tuple, source: addressOf(tuple.source), destination: addressOf(tuple.destination) };
    return this.#ipvs.foresee(ipvsPacket(protocol, ends, header, false), isConfirmed);
  }

  /** In the kernel's order; undefined: there is no such service. */
  realServers(protocol: TransportProtocol, address: string, port: number): readonly RealServer[] | undefined {
    const read = parseAddress(address);
    if (read === undefined) return undefined;
    const id = virtualServiceId({ protocol, address: read.text, port });
    return this.#ipvs.realServers({ kind: 'address', id, family: read.family, protocol, address: read, port });
  }

  /** For the self-check. */
  parts(): IpvsParts {
    return this.#ipvs.parts();
  }
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new InvalidArgumentError('packet', text, 'is not an address');
  return address;
}
