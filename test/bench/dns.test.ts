import { describe, expect, test } from 'vitest';
import { dnsLines, dnsText } from '../../bench/dns.ts';
import { dnsObjects, dnsQueries, sliceOf } from '../../bench/dns-workload.ts';
import { createClusterDns } from '../../src/dns/cluster-dns.ts';
import { readReply } from '../dns/messages.ts';

const summary = (median: number) => ({ min: median / 2, median, p95: median * 2 });
const figures = { serviceCount: 10_000, load: summary(8e8), udp: summary(40_000), change: summary(120_000) };

describe('the DNS benchmark', () => {
  test('asks for names that are all there', async () => {
    const dns = await createClusterDns();
    dns.apply(dnsObjects(100));
    for (const query of dnsQueries(100).slice(0, 200)) {
      const reply = readReply(await dns.query(query));
      expect([reply.rcode, reply.answers?.length === 0]).toEqual([0, false]);
    }
  });

  test('changes a slice so that a name loses an address', async () => {
    const dns = await createClusterDns();
    dns.apply(dnsObjects(8));
    dns.apply([sliceOf(4, 3)]);
    expect((await dns.resolve('svc-4.ns-0.svc.cluster.local')).answer).toHaveLength(3);
  });

  test('says queries a second, and one line of JSON a figure', () => {
    expect(dnsText(figures)).toContain('Reading: 25,000 queries a second');
    const lines = dnsLines(figures).split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual(
      Array(3).fill(['bench', 'variant', 'size', 'nsPerPacket', 'min', 'median', 'p95', 'unit']),
    );
    expect(lines[1]).toContain('"bench":"dns/udp","variant":"js","size":10000,"nsPerPacket":40000,');
  });
});
