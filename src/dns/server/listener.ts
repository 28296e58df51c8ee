// What both transports have in common: whom they ask for answers, and how they end.
import type { QueryOrigin } from '../responder.ts';

export interface ListenOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** One message → the messages that answer it: over UDP one at most, none when it must not be answered. */
  readonly answer: (message: Uint8Array, from: QueryOrigin) => Promise<readonly Uint8Array[]>;
  /** Hears of what should never happen; the server goes on. */
  readonly onError: (error: unknown) => void;
}

export interface Listener {
  readonly port: number;
  /** Answers nothing any more, and frees the port. */
  close(): Promise<void>;
}

/** An address as objects spell it: IPv4 clients of an IPv6 socket without their prefix, link-local ones without their interface. */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%');
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice('::ffff:'.length) : bare;
}
