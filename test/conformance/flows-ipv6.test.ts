// The packet flows of IPv4, each told once more in IPv6: the rules of both families say the same, but for loopback node ports.
import { describe, test } from 'vitest';
import { parseAddress } from '../../src/address.ts';
import { FLOWS, type FlowCase, runFlow } from './flow-run.ts';

const ADDRESS = /(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?(?::(\d+))?/g;

/** 10.180.0.1 → fd00:10:180:0::1, a group for each number, and lengths of prefixes to match. */
function inIPv6(text: string): string {
  return text.replace(ADDRESS, (_, a, b, c, d, length, port) => {
    const spelled = a === '127' ? '::1' : a === '0' ? '::' : `fd00:${a}:${b}:${c}::${d}`;
    const address = parseAddress(spelled)?.text ?? spelled;
    if (length !== undefined) return `${address}/${a === '127' ? 128 : lengthInIPv6(Number(length))}`;
    return port === undefined ? address : `[${address}]:${port}`;
  });
}

function lengthInIPv6(length: number): number {
  if (length === 0) return 0;
  return length <= 24 ? 16 + 2 * length : 96 + length;
}

/** Every text of a value changed. What is of IPv6 already goes. */
function translated(value: unknown): unknown {
  if (typeof value === 'string') return value === 'IPv4' ? 'IPv6' : inIPv6(value);
  if (Array.isArray(value)) return value.filter((each) => typeof each !== 'string' || !each.includes('::')).map(translated);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, translated(each)]));
}

function flowInIPv6(flow: FlowCase): FlowCase {
  const steps = flow.steps.map((step) => ({
    ...step,
    packets: (step.packets ?? []).filter(({ source, destination }) => !`${source} ${destination}`.includes('127.')),
  }));
  return translated({ ...flow, steps }) as FlowCase;
}

describe.each(['wasm', 'js'] as const)('packet flows in IPv6 on the %s engine', (engine) => {
  for (const flow of FLOWS.filter(({ config }) => JSON.stringify(config).includes('"IPv4"'))) {
    test.each(flow.modes)(`%s: ${flow.id}`, (mode) => runFlow(flowInIPv6(flow), mode, engine));
  }
});
