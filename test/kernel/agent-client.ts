// Opens one connection inside a namespace and says what came of it. Connections end by RST, so that no TIME_WAIT is left.
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Attempt, Greeting, Observation } from './wire.ts';

export function openConnection(attempt: Attempt): Promise<Observation> {
  return attempt.protocol === 'TCP' ? openTcp(attempt) : openUdp(attempt);
}

function openTcp({ source, sourcePort, destination, port, timeoutMs }: Attempt): Promise<Observation> {
  return new Promise((resolve) => {
    const socket = connect({ host: destination, port, localAddress: source, localPort: sourcePort });
    let heard = '';
    const end = (observation: Observation): void => {
      clearTimeout(timer);
      // One that is still connecting would be kept until it is connected, and its SYN repeated.
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
      resolve(observation);
    };
    const timer = setTimeout(() => end({ kind: 'silent' }), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      heard += chunk;
      if (heard.endsWith('\n')) end(reached(heard));
    });
    socket.on('end', () => end({ kind: 'failed', code: 'ended without a greeting' }));
    socket.on('error', (error) => end(failure(error)));
  });
}

function openUdp({ source, sourcePort, destination, port, timeoutMs }: Attempt): Promise<Observation> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(destination) ? 'udp6' : 'udp4');
    let isOver = false;
    const end = (observation: Observation): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.close();
      resolve(observation);
    };
    const timer = setTimeout(() => end({ kind: 'silent' }), timeoutMs);
    socket.on('message', (message) => end(reached(message.toString('utf8'))));
    socket.on('error', (error) => end(failure(error)));
    socket.bind({ address: source, port: sourcePort, exclusive: true }, () => {
      if (isOver) return;
      socket.connect(port, destination, () => {
        if (isOver) return;
        socket.send('hello', (error) => {
          // EPERM: a rule of OUTPUT took the datagram. Whether it also refused it comes as ICMP, or does not come.
          if (error !== null && (error as NodeJS.ErrnoException).code !== 'EPERM') end(failure(error));
        });
      });
    });
  });
}

function reached(text: string): Observation {
  return { kind: 'reached', ...(JSON.parse(text) as Greeting) };
}

function failure(error: NodeJS.ErrnoException): Observation {
  return error.code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'failed', code: error.code ?? error.message };
}
