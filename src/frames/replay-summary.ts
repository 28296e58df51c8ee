// What a replay did, by ServicePort and by backend.
import type { Dataplane, FrameResult } from '../dataplane-types.ts';
import type { FrameKind } from '../engine/frame-ring.ts';
import type { TransportProtocol } from '../packet.ts';

export interface TrafficSummary {
  /** That began. */
  connections: number;
  /** Towards the backend, and bytes of their IP packets. */
  packets: number;
  bytes: number;
  replyPackets: number;
  replyBytes: number;
}

export interface ServicePortSummary extends TrafficSummary {
  readonly servicePort: string;
  readonly protocol?: TransportProtocol;
  dropped: number;
  rejected: number;
  readonly backends: readonly (TrafficSummary & { readonly backend: string })[];
}

export interface ReplaySummary {
  readonly frames: number;
  /** From the first to the last frame. */
  readonly durationMs: number;
  readonly passed: number;
  readonly dropped: number;
  readonly rejected: number;
  /** Those without traffic are left out. Packets of no ServicePort are not in here. */
  readonly servicePorts: readonly ServicePortSummary[];
  /** What the frames turned out to be. */
  readonly kinds: Readonly<Partial<Record<FrameKind, number>>>;
  /** Connections tracked at the end. */
  readonly connections: number;
}

interface Open extends TrafficSummary {
  dropped: number;
  rejected: number;
  readonly backends: Map<string, TrafficSummary>;
}

/** Adds up what becomes of frames. */
export class SummaryOfReplay {
  readonly #dataplane: Dataplane;
  readonly #protocols: ReadonlyMap<string, TransportProtocol>;
  readonly #servicePorts = new Map<string, Open>();
  readonly #kinds = new Map<FrameKind, number>();
  #frames = 0;
  #durationMs = 0;
  #passed = 0;
  #dropped = 0;
  #rejected = 0;

  constructor(dataplane: Dataplane) {
    this.#dataplane = dataplane;
    this.#protocols = new Map(dataplane.servicePorts().map(({ servicePort, protocol }) => [servicePort, protocol]));
  }

  addFrame(ms: number): void {
    this.#frames++;
    this.#durationMs = Math.max(this.#durationMs, ms);
  }

  /** A frame that the link layer says is no IP. */
  addOther(): void {
    this.#passed++;
    this.#kinds.set('notIP', (this.#kinds.get('notIP') ?? 0) + 1);
  }

  addResult(result: FrameResult, bytes: number, backend: string | undefined): void {
    this.#kinds.set(result.kind, (this.#kinds.get(result.kind) ?? 0) + 1);
    if (result.passes) this.#passed++;
    else if (result.action === 'REJECT') this.#rejected++;
    else this.#dropped++;
    if (result.servicePort === undefined) return;
    const open = this.#openOf(result.servicePort);
    if (result.action === 'REJECT') open.rejected++;
    else if (!result.passes) open.dropped++;
    if (!result.passes) return;
    add(open, result, bytes);
    if (backend === undefined) return;
    const ofBackend = open.backends.get(backend) ?? noTraffic();
    open.backends.set(backend, ofBackend);
    add(ofBackend, result, bytes);
  }

  result(): ReplaySummary {
    const byName = <Value>(a: readonly [string, Value], b: readonly [string, Value]): number => (a[0] < b[0] ? -1 : 1);
    return {
      frames: this.#frames,
      durationMs: this.#durationMs,
      passed: this.#passed,
      dropped: this.#dropped,
      rejected: this.#rejected,
      servicePorts: [...this.#servicePorts].toSorted(byName).map(([servicePort, { backends, ...sums }]) => {
        const protocol = this.#protocols.get(servicePort);
        const ofBackends = [...backends].toSorted(byName).map(([backend, traffic]) => ({ backend, ...traffic }));
        return { servicePort, ...(protocol === undefined ? {} : { protocol }), ...sums, backends: ofBackends };
      }),
      kinds: Object.fromEntries(this.#kinds),
      connections: this.#dataplane.counters().connections,
    };
  }

  #openOf(servicePort: string): Open {
    const known = this.#servicePorts.get(servicePort);
    if (known !== undefined) return known;
    const open: Open = { ...noTraffic(), dropped: 0, rejected: 0, backends: new Map() };
    this.#servicePorts.set(servicePort, open);
    return open;
  }
}

function noTraffic(): TrafficSummary {
  return { connections: 0, packets: 0, bytes: 0, replyPackets: 0, replyBytes: 0 };
}

function add(sums: TrafficSummary, { connection }: FrameResult, bytes: number): void {
  if (connection === 'NEW') sums.connections++;
  if (connection === 'REPLY') {
    sums.replyPackets++;
    sums.replyBytes += bytes;
  } else {
    sums.packets++;
    sums.bytes += bytes;
  }
}
