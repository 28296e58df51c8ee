// Tables of the core that grow and shrink by thousands: both engines agree, and every invariant holds at each size.
import { describe, test } from 'vitest';
import type { ServiceRef } from '../../src/ipvs/types.ts';
import { IpvsPair } from '../differential/ipvs-pair.ts';

const CONNECTIONS = 3000;
const SEED = 7;

describe.each(['IPv4', 'IPv6'] as const)('thousands of connections on %s', (family) => {
  const address = (network: number, host: number): string =>
    family === 'IPv4' ? `10.${network}.${host >> 8}.${host & 255}` : `fd00:${network}::${host}`;

  test('come by every way that takes room: templates, marks and cached destinations, and go with time', () => {
    const pair = new IpvsPair(SEED, false);
    const web: ServiceRef = { protocol: 'TCP', address: address(96, 10), port: 80 };
    const marked: ServiceRef = { fwmark: 7, family };
    pair.both((ipvs) => {
      ipvs.addService(web, { scheduler: 'wlc', persistence: { timeout: 100 } });
      ipvs.addService(marked, { scheduler: 'lblcr' });
      for (let host = 1; host <= 9; host++) {
        ipvs.addServer(web, { address: address(3, host), port: 8080, weight: host });
        ipvs.addServer(marked, { address: address(4, host), port: 0, weight: host });
      }
    });
    for (let number = 0; number < CONNECTIONS; number++) {
      const ends = { source: address(1, number + 1), sourcePort: 1000 + (number % 50), destinationPort: 80 };
      pair.send({ protocol: 'TCP', destination: address(96, 10), ...ends });
      pair.send({ protocol: 'UDP', destination: address(97, number + 1), fwmark: 7, ...ends });
      pair.now += 20;
    }
    pair.compare();
    for (const seconds of [1, 30, 60, 120, 300]) {
      pair.now += seconds * 1000;
      pair.compare();
    }
    pair.both((ipvs) => {
      ipvs.setSysctl('expire_nodest_conn', 1);
      ipvs.deleteService(marked);
    });
    pair.compare();
  });

  test('share one server tuple: the newest is found, then the one before it', () => {
    const pair = new IpvsPair(SEED, false);
    const services = Array.from({ length: 40 }, (_, index): ServiceRef => ({ protocol: 'UDP', address: address(96, index + 1), port: 53 }));
    const server = { address: address(3, 1), port: 53 };
    pair.both((ipvs) => {
      for (const service of services) {
        ipvs.addService(service);
        ipvs.addServer(service, server);
      }
    });
    const client = { source: address(1, 1), sourcePort: 1000 };
    services.forEach((_, index) => {
      pair.send({ protocol: 'UDP', destination: address(96, index + 1), destinationPort: 53, ...client });
      pair.now += 1000;
    });
    const reply = {
      protocol: 'UDP',
      direction: 'server',
      source: server.address,
      sourcePort: 53,
      destination: client.source,
      destinationPort: 1000,
    } as const;
    for (let round = 0; round < services.length; round++) {
      pair.send({ ...reply, icmpError: true });
      pair.compare();
      pair.now += 8000;
    }
  });
});
