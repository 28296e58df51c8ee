// A dataplane that stays, for connections by the thousand: it follows the cluster while Pods come and go.
import type { Packet, PacketBatch } from 'svcplane';
import type { Cluster } from 'svcplane/cluster';
import { formatEndpoint } from '../../src/address.ts';
import { type ConnectedDataplane, type DataplaneSettings, openNode, type Question } from './question.ts';

export const CONNECTIONS = 1000;

/** Where a thousand connections went: `10.244.1.2:8080` or the action → how many. */
export type Tally = ReadonlyMap<string, number>;

const FIRST_PORT = 10_000;
const LAST_PORT = 60_000;
/** Longer than an unanswered connection is remembered: when ports come round again they begin new ones. */
const BETWEEN_THOUSANDS_MS = 5000;

export class LiveConnections implements Disposable {
  readonly #connected: ConnectedDataplane;
  readonly #packet: Packet;
  readonly #batch: PacketBatch;
  #now = 0;
  #port = FIRST_PORT;

  /** @throws SvcplaneError when the mode cannot run what is asked */
  constructor(question: Question, cluster: Cluster, settings: DataplaneSettings) {
    this.#packet = question.packet;
    this.#connected = openNode(cluster, question.node, { ...settings, now: () => this.#now });
    const family = this.#packet.source.includes(':') ? 'IPv6' : 'IPv4';
    this.#batch = this.#connected.dataplane.createBatch(CONNECTIONS, { family });
    this.#batch.count = CONNECTIONS;
  }

  /** A thousand connections of the same client, each from a port of its own. */
  sendThousand(): Tally {
    const batch = this.#batch;
    for (let index = 0; index < CONNECTIONS; index++) batch.set(index, { ...this.#packet, sourcePort: this.#port + index });
    this.#connected.dataplane.processBatch(batch);
    const tally = new Map<string, number>();
    for (let index = 0; index < CONNECTIONS; index++) {
      const { action, backend } = batch.verdict(index);
      const name = backend === undefined ? action : formatEndpoint(backend.address, backend.port);
      tally.set(name, (tally.get(name) ?? 0) + 1);
    }
    this.#port = this.#port + 2 * CONNECTIONS > LAST_PORT ? FIRST_PORT : this.#port + CONNECTIONS;
    this.#now += BETWEEN_THOUSANDS_MS;
    return tally;
  }

  [Symbol.dispose](): void {
    this.#connected[Symbol.dispose]();
  }
}
