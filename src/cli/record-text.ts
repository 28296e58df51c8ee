// Resource records as dig prints them, column for column.
import type { DnsRecord } from '../dns/resolution.ts';

/** Where TTL, class, type and data begin, when what stands before them leaves room. */
const COLUMNS = { ttl: 24, class: 32, type: 40, data: 48 } as const;
const TAB_WIDTH = 8;

/** One line of dig's answer section, without its end. */
export function recordLine(record: DnsRecord): string {
  const line = new ColumnLine(record.name);
  line.at(COLUMNS.ttl, String(record.ttl));
  line.at(COLUMNS.class, 'IN');
  line.at(COLUMNS.type, record.type === 'other' ? record.typeName : record.type);
  line.at(COLUMNS.data, recordData(record));
  return line.text;
}

/** The data alone: an address, a name, `0 100 80 web.prod.svc.cluster.local.` */
export function recordData(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address;
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return record.target;
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case 'TXT':
      return record.strings.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(' ');
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record;
      return [mname, rname, serial, refresh, retry, expire, minimum].join(' ');
    }
    default:
      return record.data;
  }
}

/** Text in columns made of tabs, one space at least between them. */
class ColumnLine {
  text: string;
  #column: number;

  constructor(first: string) {
    this.text = first;
    this.#column = first.length;
  }

  at(column: number, text: string): void {
    const start = Math.max(column, this.#column + 1);
    const lastTab = Math.floor(start / TAB_WIDTH) * TAB_WIDTH;
    const tabCount = Math.max(0, lastTab / TAB_WIDTH - Math.floor(this.#column / TAB_WIDTH));
    const spaceCount = start - (tabCount > 0 ? lastTab : this.#column);
    this.text += '\t'.repeat(tabCount) + ' '.repeat(spaceCount) + text;
    this.#column = start + text.length;
  }
}
