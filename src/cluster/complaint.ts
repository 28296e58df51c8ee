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
const PORT_NAME = /^(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const PORT_NAME_MAX = 15;
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

/** A host name of a Pod or an endpoint, when it has one. */
export function hostLabelProblems(path: string, value: unknown): Complaint[] {
  if (value === undefined || value === '' || isDnsLabel(value)) return [];
  return [complaint(path, value, `${quoted(value)} is not a DNS label: lower-case letters, digits and -, at most 63`)];
}

/** The name of a port, as containers give it and target ports use it (IANA_SVC_NAME), when it has one. */
export function portNameProblems(path: string, value: unknown): Complaint[] {
  if (value === undefined || value === '') return [];
  const isName = typeof value === 'string' && value.length <= PORT_NAME_MAX && PORT_NAME.test(value) && /[a-z]/.test(value);
  return isName
    ? []
    : [complaint(path, value, `${quoted(value)} is not a port name: at most 15 lower-case letters, digits and -, a letter among them`)];
}
