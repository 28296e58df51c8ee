// Another resolver, asked over UDP, and over TCP when its answer does not fit. For `upstream` of a cluster DNS; Node only.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { SvcplaneError } from '../../errors.ts';
import type { Upstream } from '../settings.ts';
import { FLAG, HEADER_SIZE } from '../wire/header.ts';
import { MessageFramer, withLength } from './framing.ts';

export interface UpstreamOptions {
  readonly address: string;
  readonly port: number;
  /** How long one attempt waits. Default 2 s. */
  readonly timeoutMs?: number;
  /** Over UDP, where datagrams get lost. Default 2. */
  readonly attempts?: number;
  /** Queries under way; more are refused at once. Default 1000. */
  readonly concurrentMax?: number;
}

/** The other resolver cannot be reached, does not answer, or has too much to do already. */
export class UpstreamError extends SvcplaneError {
  override name = 'UpstreamError';
}

const TIMEOUT_MS = 2000;
const ATTEMPTS = 2;
const CONCURRENT_MAX = 1000;
const ID_COUNT = 0x10000;
const QUESTION_TAIL_SIZE = 4;

/** Each query leaves from a port and with an id of its own, so that nobody else can answer it by guessing. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { attempts = ATTEMPTS, concurrentMax = CONCURRENT_MAX } = options;
  let underWay = 0;

  async function ask(query: Uint8Array): Promise<Uint8Array> {
    const asked = withId(query, randomInt(ID_COUNT));
    for (let attempt = 1; ; attempt++) {
      try {
        const reply = await askOverUdp(asked, options);
        return isTruncated(reply) ? await askOverTcp(asked, options) : reply;
      } catch (error) {
        if (attempt >= attempts) throw error;
      }
    }
  }

  return async (query) => {
    if (underWay >= concurrentMax) throw new UpstreamError(`${options.address}: ${concurrentMax} queries under way already`);
    underWay++;
    try {
      return await ask(query);
    } finally {
      underWay--;
    }
  };
}

function askOverUdp(query: Buffer, { address, port, timeoutMs = TIMEOUT_MS }: UpstreamOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => fail('does not answer'), timeoutMs);
    const end = () => {
      clearTimeout(timer);
      socket.close();
    };
    const fail = (why: string) => {
      end();
      reject(new UpstreamError(`${address}:${port} ${why}`));
    };
    socket.on('error', (error) => fail(error.message));
    socket.on('message', (reply) => {
      if (!isReplyTo(query, reply)) return;
      end();
      resolve(reply);
    });
    // Connected: datagrams of anybody else do not get here.
    socket.connect(port, address, () => socket.send(query));
  });
}

function askOverTcp(query: Buffer, { address, port, timeoutMs = TIMEOUT_MS }: UpstreamOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const framer = new MessageFramer();
    const socket = connect(port, address, () => socket.write(withLength(query)));
    const fail = (why: string) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new UpstreamError(`${address}:${port} ${why} (TCP)`));
    };
    const timer = setTimeout(() => fail('does not answer'), timeoutMs);
    socket.on('error', (error) => fail(error.message));
    socket.on('end', () => fail('closed the connection'));
    socket.on('data', (chunk: Buffer) => {
      framer.push(chunk);
      const reply = framer.next();
      if (reply === undefined) return;
      if (!isReplyTo(query, reply)) return fail('answered something else');
      clearTimeout(timer);
      socket.destroy();
      resolve(reply);
    });
  });
}

function withId(query: Uint8Array, id: number): Buffer {
  const copy = Buffer.from(query);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** The same id and the same question. Servers may change the case of letters. */
function isReplyTo(query: Buffer, reply: Buffer): boolean {
  if (reply.length < HEADER_SIZE || reply.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((reply.readUInt16BE(2) & FLAG.RESPONSE) === 0) return false;
  const end = questionEnd(query);
  const question = (message: Buffer) => message.toString('latin1', HEADER_SIZE, end).toLowerCase();
  // Errors may come back as a header alone.
  return reply.length === HEADER_SIZE || question(query) === question(reply);
}

function questionEnd(message: Buffer): number {
  let at = HEADER_SIZE;
  while ((message[at] ?? 0) !== 0) at += 1 + (message[at] ?? 0);
  return at + 1 + QUESTION_TAIL_SIZE;
}

function isTruncated(reply: Uint8Array): boolean {
  return (((reply[2] ?? 0) << 8) & FLAG.TRUNCATED) !== 0;
}
