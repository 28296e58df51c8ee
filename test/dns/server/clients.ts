// The two ways a client asks a server: datagrams, and a stream of messages behind their lengths.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { MessageFramer, withLength } from '../../../src/dns/server/framing.ts';

export interface UdpClient {
  send(message: Uint8Array): void;
  /** Sends a message and waits for the reply of its id. */
  ask(message: Uint8Array): Promise<Buffer>;
  close(): void;
}

export function udpClient(port: number): UdpClient {
  const socket = createSocket('udp4');
  const send = (message: Uint8Array) => socket.send(message, port, '127.0.0.1');
  return {
    send,
    ask: (message) =>
      new Promise((resolve) => {
        const id = Buffer.from(message).readUInt16BE(0);
        socket.on('message', function heard(reply) {
          if (reply.readUInt16BE(0) !== id) return;
          socket.off('message', heard);
          resolve(reply);
        });
        send(message);
      }),
    close: () => socket.close(),
  };
}

/** Sends bytes on one connection, says that this was all, and collects every reply until the server ends it. */
export async function tcpReplies(port: number, chunks: readonly Uint8Array[]): Promise<Buffer[]> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const framer = new MessageFramer();
  const replies: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    framer.push(chunk);
    for (let reply = framer.next(); reply !== undefined; reply = framer.next()) replies.push(reply);
  });
  await once(socket, 'connect');
  for (const chunk of chunks) await new Promise((resolve) => socket.write(chunk, resolve));
  socket.end();
  await once(socket, 'close');
  return replies;
}

export { withLength };
