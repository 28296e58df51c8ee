// What a validator says about one field, and the tests of names and numbers that several of them share.

/** One thing wrong: the field, its value, and what is wrong with it. */
export interface Complaint {
  readonly path: string;
  readonly value: unknown;
  readonly message: string;
  /** The Service that already holds what is asked for. */
  readonly owner?: string;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
export const LABEL_MAX = 63;
const SUBDOMAIN_MAX = 253;

export function isDnsLabel(text: unknown): text is string {
  return typeof text === 'string' && text.length <= LABEL_MAX && DNS_LABEL.test(text);
}

export function isDnsSubdomain(text: unknown): text is string {
  return typeof text === 'string' && text.length <= SUBDOMAIN_MAX && DNS_SUBDOMAIN.test(text);
}

export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}

export function complaint(path: string, value: unknown, message: string): Complaint {
  return { path, value, message };
}

export function quoted(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

/** An enumerated field that is set to something else. */
export function oneOf(path: string, value: unknown, allowed: readonly string[]): Complaint[] {
  if (value === undefined || allowed.some((each) => each === value)) return [];
  return [complaint(path, value, `${quoted(value)} is unknown, expected ${allowed.join(', ')}`)];
}

/** For a port number that is missing or none. */
export function outsidePorts(path: string, value: unknown): Complaint {
  if (value === undefined) return complaint(path, value, 'is missing, expected a number of 1-65535');
  return complaint(path, value, `${quoted(value)} is ${typeof value === 'number' ? 'outside' : 'not a number of'} 1-65535`);
}
