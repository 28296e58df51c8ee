// Addresses on the command line, with a port behind them or not.
import { parseAddress } from '../address.ts';
import { UsageError } from './io.ts';

/**
 * `10.0.0.1`, `10.0.0.1:80`, `fd00::1`, `[fd00::1]:80`.
 * @param when in front of what was expected, where that depends on another option
 * @throws UsageError, naming the option
 */
export function addressAndPort(option: string, text: string, when = ''): { readonly address: string; readonly port?: number } {
  const whole = parseAddress(text);
  if (whole !== undefined) return { address: whole.text };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain ?? '');
  if (address === undefined) throw new UsageError(`${option} ${text}: ${when}expected an IP address, with a port behind it or not`);
  const port = Number(digits);
  if (port > 65535) throw new UsageError(`${option} ${text}: port ${digits} is outside 0-65535`);
  return { address: address.text, port };
}
