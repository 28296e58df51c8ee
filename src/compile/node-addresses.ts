// The addresses that every mode's Program holds as local to the node.
import type { Family } from '../address.ts';

/** fib type local: the node's own addresses and loopback. */
export function localAddresses(family: Family, nodeAddresses: readonly string[]): string[] {
  return [family === 'IPv4' ? '127.0.0.0/8' : '::1/128', ...nodeAddresses];
}
