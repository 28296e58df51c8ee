// Records of messages in the data's own shape, and the comparison that its conventions ask for.
import type { Answer } from 'dns-packet';
import { expect } from 'vitest';
import type { RecordData } from './dns-data.ts';

export function recordData(answer: Answer): RecordData {
  const head = { name: absolute(answer.name), type: answer.type, ttl: answer.type === 'OPT' ? null : (answer.ttl ?? 0) };
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return { ...head, data: { address: answer.data } };
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { ...head, data: { target: absolute(answer.data) } };
    case 'SRV': {
      const { priority = null, weight = null, port, target } = answer.data;
      return { ...head, data: { priority, weight, port, target: absolute(target) } };
    }
    case 'TXT':
      return { ...head, data: { strings: [answer.data].flat().map(String) } };
    case 'SOA': {
      const { mname, rname, serial = null, refresh = null, retry = null, expire = null, minimum = null } = answer.data;
      return { ...head, data: { mname: absolute(mname), rname: absolute(rname), serial, refresh, retry, expire, minimum } };
    }
    default:
      throw new Error(`${answer.type} records are not in the data`);
  }
}

export interface Comparison {
  readonly isOrdered: boolean;
  /** Letter case is the point of the case. */
  readonly isCased: boolean;
}

/** The same records: as a list when their order matters, else as multisets. */
export function expectRecords(actual: readonly RecordData[], expected: readonly RecordData[], comparison: Comparison): void {
  const rest = [...actual];
  const unmet = expected.filter((record) => {
    const at = rest.findIndex((candidate) => isMatch(candidate, record, comparison.isCased));
    if (at < 0 || (comparison.isOrdered && at > 0)) return true;
    rest.splice(at, 1);
    return false;
  });
  expect({ missing: unmet, surplus: rest }, JSON.stringify(actual)).toEqual({ missing: [], surplus: [] });
}

/** Every record is one of the listed ones. */
export function expectSubset(actual: readonly RecordData[], listed: readonly RecordData[], isCased: boolean): void {
  expect(actual.filter((record) => !listed.some((candidate) => isMatch(record, candidate, isCased)))).toEqual([]);
}

function isMatch(actual: RecordData, expected: RecordData, isCased: boolean): boolean {
  const isSame = (own: unknown, wanted: unknown) => wanted === null || isSameValue(own, wanted, isCased);
  return (
    actual.type === expected.type &&
    isSame(actual.name, expected.name) &&
    isSame(actual.ttl, expected.ttl) &&
    Object.entries(expected.data).every(([field, value]) => isSame(actual.data[field], value))
  );
}

/** A name that starts with `*.` stands for one label of our choice and the rest. */
function isSameValue(own: unknown, wanted: unknown, isCased: boolean): boolean {
  if (typeof own !== 'string' || typeof wanted !== 'string') return JSON.stringify(own) === JSON.stringify(wanted);
  const [a, b] = isCased ? [own, wanted] : [own.toLowerCase(), wanted.toLowerCase()];
  return b.startsWith('*.') ? a.slice(a.indexOf('.') + 1) === b.slice(2) : a === b;
}

function absolute(name: string): string {
  return name === '.' ? name : `${name}.`;
}
