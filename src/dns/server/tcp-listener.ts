// DNS over TCP (RFC 7766): every message behind its length, several under way at once, answered as they are done.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { MessageFramer, withLength } from './framing.ts';
import { type Listener, type ListenOptions, plainAddress } from './listener.ts';

export interface TcpListenOptions extends ListenOptions {
  /** How long a connection may stay without a whole message or an answer. Default 10 s. */
  readonly idleTimeoutMs?: number;
  /** More are turned away. Default 1000. */
  readonly connectionsMax?: number;
  /** Messages of one connection that are answered at once; the next ones wait in the kernel. Default 100. */
  readonly pipelinedMax?: number;
}

const IDLE_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 1000;
const PIPELINED_MAX = 100;

/** @throws what listen reports: the address is in use, is not ours, needs a privilege */
export async function listenTcp(options: TcpListenOptions): Promise<Listener> {
  const connections = new Set<Socket>();
  // Half-open: a client may say that it has asked everything, and still get its answers.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serveConnection(socket, options);
  });
  server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX;
  server.listen(options.port, options.address);
  await once(server, 'listening');
  server.on('error', options.onError);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of connections) socket.destroy();
      }),
  };
}

function serveConnection(socket: Socket, { answer, onError, idleTimeoutMs, pipelinedMax = PIPELINED_MAX }: TcpListenOptions): void {
  const framer = new MessageFramer();
  const origin = { clientIP: plainAddress(socket.remoteAddress ?? ''), transport: 'tcp' } as const;
  let pendingCount = 0;
  let hasEnded = false;
  // Not the socket's own timeout: bytes that never make a message must not keep a connection.
  const idle = setTimeout(() => (pendingCount > 0 ? idle.refresh() : socket.destroy()), idleTimeoutMs ?? IDLE_TIMEOUT_MS);

  function serveNext(): void {
    while (pendingCount < pipelinedMax && socket.writable && !socket.writableNeedDrain) {
      const message = framer.next();
      if (message === undefined) break;
      idle.refresh();
      pendingCount++;
      answer(message, origin).then(
        (replies) => done(replies),
        (error) => {
          onError(error);
          socket.destroy();
        },
      );
    }
    const isFull = pendingCount >= pipelinedMax || socket.writableNeedDrain;
    if (isFull) socket.pause();
    else socket.resume();
    if (hasEnded && pendingCount === 0 && !isFull) socket.end();
  }

  function done(replies: readonly Uint8Array[]): void {
    pendingCount--;
    idle.refresh();
    if (socket.writable) for (const reply of replies) socket.write(withLength(reply));
    serveNext();
  }

  socket.on('data', (chunk: Buffer) => {
    framer.push(chunk);
    serveNext();
  });
  socket.on('drain', serveNext);
  socket.on('end', () => {
    hasEnded = true;
    serveNext();
  });
  socket.on('close', () => clearTimeout(idle));
  // A connection that breaks is closed; there is nobody to tell.
  socket.on('error', () => socket.destroy());
}
