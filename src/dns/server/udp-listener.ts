// DNS over UDP: one datagram in, one out.
import { createSocket, type SocketOptions } from 'node:dgram';
import { lookup as lookUpName } from 'node:dns';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { type Listener, type ListenOptions, plainAddress } from './listener.ts';

/** Room for bursts while the process is busy; the kernel may grant less. */
const RECEIVE_BUFFER_BYTES = 1 << 20;

/** Clients are addresses already: a resolver asked about each reply would cost as much as the answer. */
const lookup: NonNullable<SocketOptions['lookup']> = (name, options, callback) => {
  const family = isIP(name);
  if (family === 0) lookUpName(name, options, callback);
  else callback(null, name, family);
};

/** @throws what bind reports: the address is in use, is not ours, needs a privilege */
export async function listenUdp({ address, port, answer, onError }: ListenOptions): Promise<Listener> {
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES, lookup });
  socket.on('message', (message, client) => {
    // Nobody can be answered at port 0.
    if (client.port === 0) return;
    answer(message, { clientIP: plainAddress(client.address), transport: 'udp' }).then(
      // A client that cannot be reached any more is its own trouble, as is a lost datagram.
      ([reply]) => reply !== undefined && socket.send(reply, client.port, client.address, () => undefined),
      onError,
    );
  });
  const listening = once(socket, 'listening');
  socket.bind(port, address);
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on('error', onError);
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
