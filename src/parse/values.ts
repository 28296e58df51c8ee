// The values of options: addresses, ports, marks. Undefined: not a value of that kind, or one that is not modelled.
import { type Family, parseAddress, parsePrefix } from '../address.ts';
import type { PortRange } from '../program/ruleset.ts';

const ALL_BITS = 0xffffffff;
const PORT_MAX = 65535;

/** `10.0.0.0/8`, `10.0.0.1`, `10.0.0.0/255.0.0.0` → canonical text with its length. */
export function readPrefix(text: string, family: Family): string | undefined {
  const [address = '', mask] = text.split('/');
  const length = mask !== undefined && /[.:]/.test(mask) ? maskLength(mask) : mask;
  const prefix = parsePrefix(length === undefined ? address : `${address}/${length}`);
  return prefix?.family === family ? prefix.text : undefined;
}

/** The length of a netmask; NaN when its bits are not in one run. */
function maskLength(mask: string): number {
  const bits = (parseAddress(mask)?.words ?? []).map((word) => word.toString(2).padStart(32, '0')).join('');
  return /^1*0*$/.test(bits) && bits !== '' ? bits.lastIndexOf('1') + 1 : Number.NaN;
}

/** `80`, `30000:32767`, `:1023`, `1024:`. */
export function readPorts(text: string): PortRange | undefined {
  const [, low = '', colon, high = ''] = /^(\d*)(:?)(\d*)$/.exec(text) ?? [];
  if (low === '' && high === '') return undefined;
  const from = low === '' ? 0 : Number(low);
  const to = colon === '' ? from : high === '' ? PORT_MAX : Number(high);
  return from <= to && to <= PORT_MAX ? { from, to } : undefined;
}

/** Decimal or hexadecimal, 32 bits. */
export function readNumber(text: string): number | undefined {
  const value = Number(text);
  return /^(0x[0-9a-f]+|\d+)$/i.test(text) && value <= ALL_BITS ? value : undefined;
}

/** `0x4000/0x4000`; without a mask, all bits. */
export function readMarked(text: string): { readonly value: number; readonly mask: number } | undefined {
  const [value, mask] = text.split('/').map(readNumber);
  if (value === undefined || (text.includes('/') && mask === undefined)) return undefined;
  return { value, mask: mask ?? ALL_BITS };
}

/** `10.0.0.1`, `10.0.0.1:80`, `[fd00::1]:80`: one address and at most one port, no ranges. */
export function readEndpoint(text: string, family: Family): { readonly address: string; readonly port?: number } | undefined {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain ?? text);
  if (address?.family !== family) return undefined;
  if (portText === undefined) return { address: address.text };
  const port = Number(portText);
  return port >= 1 && port <= PORT_MAX ? { address: address.text, port } : undefined;
}
