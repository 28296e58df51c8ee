import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { askAll, dnsLines, dnsText } from '../../bench/dns.ts';
import { dnsObjects, dnsQueries, sliceOf } from '../../bench/dns-workload.ts';
import { createClusterDns } from '../../src/dns/cluster-dns.ts';
import { readReply } from '../dns/messages.ts';

const summary = (median: number) => ({ min: median / 2, median, p95: median * 2 });
const figures = { serviceCount: 10_000, load: summary(8e8), udp: summary(40_000), change: summary(120_000), lost: 3, asked: 80_000 };

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

  test('sends again what was lost, counts it, and gets every answer', async () => {
    const dns = await createClusterDns();
    dns.apply(dnsObjects(20));
    const heard = new Set<number>();
    const server = createSocket('udp4');
    server.on('message', async (message, { port }) => {
      const id = message.readUInt16BE(0);
      // Every tenth is lost the first time, others are answered twice.
      const isFirst = !heard.has(id);
      heard.add(id);
      if (isFirst && id % 10 === 0) return;
      server.send(await dns.query(message), port, '127.0.0.1');
      if (id % 10 === 5) server.send(await dns.query(message), port, '127.0.0.1');
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const { resentCount } = await askAll(server.address().port, dnsQueries(20), 500, 20);
    server.close();
    expect(resentCount).toBeGreaterThanOrEqual(50);
    expect(heard.size).toBe(500);
  });

  test('says queries a second, and one line of JSON a figure', () => {
    expect(dnsText(figures)).toContain('Reading: 25,000 queries a second');
    expect(dnsText(figures)).toContain('3 of 80,000 queries were lost and sent again');
    const lines = dnsLines(figures).split('\n');
    const keys = ['bench', 'variant', 'size', 'nsPerPacket', 'min', 'median', 'p95', 'unit'];
    expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual([keys, [...keys, 'lost', 'asked'], keys]);
    expect(lines[1]).toContain('"bench":"dns/udp","variant":"js","size":10000,"nsPerPacket":40000,');
  });
});
