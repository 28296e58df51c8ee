// A DNS server: one address, UDP and TCP, in front of whatever answers messages. Node only; `svcplane dns serve` runs it.
import type { ClusterDns } from '../cluster-dns.ts';
import type { Listener } from './listener.ts';
import { listenTcp, type TcpListenOptions } from './tcp-listener.ts';
import { listenUdp } from './udp-listener.ts';

export interface DnsServerOptions extends Omit<TcpListenOptions, 'answer'> {}

/** Tries to find a port that is free for both transports, when any will do. */
const ANY_PORT_ATTEMPTS = 20;

/**
 * Answers over UDP and TCP until it is closed.
 * @throws what the system says when the address cannot be listened on (`code` EADDRINUSE, EACCES, EADDRNOTAVAIL)
 */
export async function serveDns(dns: Pick<ClusterDns, 'replies'>, options: DnsServerOptions): Promise<Listener> {
  const listenOptions = { ...options, answer: dns.replies };
  for (let attempt = 1; ; attempt++) {
    const udp = await listenUdp(listenOptions);
    try {
      const tcp = await listenTcp({ ...listenOptions, port: udp.port });
      return { port: udp.port, close: async () => void (await Promise.all([udp.close(), tcp.close()])) };
    } catch (error) {
      await udp.close();
      if (options.port !== 0 || attempt === ANY_PORT_ATTEMPTS) throw error;
    }
  }
}
