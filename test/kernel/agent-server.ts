// The listeners of a namespace: each socket is bound to one address, so that it knows where it was reached and answers from there.
import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import type { Greeting, Listener, Place } from './wire.ts';

const BACKLOG = 2048;

interface OpenListener {
  close(): void;
}

export class ListenerSet {
  readonly #place: Place;
  readonly #open = new Map<string, OpenListener>();

  constructor(place: Place) {
    this.#place = place;
  }

  /** Afterwards exactly these listen. Those that did already are left alone. */
  async become(listeners: readonly Listener[]): Promise<void> {
    const wanted = new Map(listeners.map((listener) => [JSON.stringify(listener), listener]));
    for (const [key, open] of this.#open) {
      if (wanted.has(key)) continue;
      open.close();
      this.#open.delete(key);
    }
    for (const [key, listener] of wanted) if (!this.#open.has(key)) this.#open.set(key, await this.#listen(listener));
  }

  #listen(listener: Listener): Promise<OpenListener> {
    return listener.protocol === 'TCP' ? this.#listenTcp(listener) : this.#listenUdp(listener);
  }

  #listenTcp({ address, port }: Listener): Promise<OpenListener> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      const { remoteAddress = '', remotePort = 0 } = socket;
      socket.write(this.#greeting(address, port, remoteAddress, remotePort));
    });
    return new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen({ host: address, port, backlog: BACKLOG, exclusive: true }, () => resolve(server));
    });
  }

  #listenUdp({ address, port }: Listener): Promise<OpenListener> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('message', (_message, from) => {
      socket.send(this.#greeting(address, port, from.address, from.port), from.port, from.address, () => {});
    });
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.bind({ address, port, exclusive: true }, () => resolve(socket));
    });
  }

  #greeting(address: string, port: number, source: string, sourcePort: number): string {
    const greeting: Greeting = { place: this.#place, address, port, source, sourcePort };
    return `${JSON.stringify(greeting)}\n`;
  }
}
