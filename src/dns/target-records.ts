// Targets → records: addresses of one family, or SRV with the addresses of what they point to.
import type { Address } from '../address.ts';
import type { Target } from './lookup.ts';
import { NO_PORT } from './objects.ts';
import type { Question } from './question.ts';
import { type AddressRecord, type ServiceRecord, TYPE } from './record.ts';

const WEIGHT_ALL = 100;

/** The addresses of the asked family, each once. */
export function addressRecords({ name, type }: Question, targets: readonly Target[], ttl: number): AddressRecord[] {
  const family = type === TYPE.A ? 'IPv4' : 'IPv6';
  const seen = new Set<string>();
  const records: AddressRecord[] = [];
  for (const { address, spelled } of targets) {
    if (address.family !== family || seen.has(spelled)) continue;
    seen.add(spelled);
    records.push(addressRecord(name, ttl, address));
  }
  return records;
}

/**
 * One SRV for each target name and port, and the addresses of the targets. The weight counts addresses with their ports before
 * duplicates go, the stand-in ports included.
 */
export function serviceRecords(
  { name, spelledZone }: Pick<Question, 'name' | 'spelledZone'>,
  targets: readonly Target[],
  ttl: number,
): { readonly records: readonly ServiceRecord[]; readonly glue: readonly AddressRecord[] } {
  const weight = Math.max(1, Math.floor(WEIGHT_ALL / targets.length));
  const records = new Map<string, ServiceRecord>();
  const glue = new Map<string, AddressRecord>();
  for (const { owner, address, spelled, port } of targets) {
    if (port === NO_PORT) continue;
    const target = `${owner}.${spelledZone}`;
    const recordKey = `${port} ${owner}`;
    if (!records.has(recordKey)) records.set(recordKey, { name, type: 'SRV', ttl, priority: 0, weight, port, target });
    const glueKey = `${spelled} ${owner}`;
    if (!glue.has(glueKey)) glue.set(glueKey, addressRecord(target, ttl, address));
  }
  return { records: [...records.values()], glue: [...glue.values()] };
}

export function addressRecord(name: string, ttl: number, address: Address): AddressRecord {
  return { name, type: address.family === 'IPv4' ? 'A' : 'AAAA', ttl, address };
}
