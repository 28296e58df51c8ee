// The serving process of the DNS benchmark: loads the cluster, serves it, and at last changes slices.
import { createClusterDns } from 'svcplane/dns';
import { serveDns } from '../src/dns/server/dns-server.ts';
import { dnsObjects, ENDPOINTS_PER_SERVICE, sliceOf } from './dns-workload.ts';

export interface DnsReady {
  readonly port: number;
  readonly loadNs: readonly number[];
}

export interface DnsTimes {
  readonly changeNs: readonly number[];
}

const CHANGE_COUNT = 2000;

const [serviceCount = 0, loadCount = 0] = process.argv.slice(2).map(Number);
const objects = dnsObjects(serviceCount);
const loadNs: number[] = [];
let dns = await createClusterDns();
for (let round = 0; round < loadCount; round++) {
  globalThis.gc?.();
  const start = process.hrtime.bigint();
  dns = await createClusterDns();
  dns.apply(objects);
  loadNs.push(Number(process.hrtime.bigint() - start));
}
const server = await serveDns(dns, {
  address: '127.0.0.1',
  port: 0,
  onError: (error) => {
    throw error;
  },
});

process.on('disconnect', () => process.exit());
process.on('message', () => {
  const changeNs = Array.from({ length: CHANGE_COUNT }, (_, round) => {
    const changed = sliceOf((round * 31) % serviceCount, ENDPOINTS_PER_SERVICE - 1);
    const start = process.hrtime.bigint();
    dns.apply([changed]);
    return Number(process.hrtime.bigint() - start);
  });
  process.send?.({ changeNs } satisfies DnsTimes);
});
process.send?.({ port: server.port, loadNs } satisfies DnsReady);
