// Weighted round robin where no server can be had: how far a vain round goes, as the kernel's ip_vs_wrr_schedule goes.
import { expect, test } from 'vitest';
import { createIpvsSync } from '../../src/ipvs.ts';

test.each(['wasm', 'js'] as const)(
  'a round that finds all servers full ends behind the lowest level, and the next one begins at the top, %s',
  (engine) => {
    using ipvs = createIpvsSync({ engine, seed: 1, now: () => 0 });
    const web = { protocol: 'UDP', address: '10.96.0.10', port: 80 } as const;
    const light = { address: '10.0.0.1', port: 80, weight: 1 };
    const heavy = { address: '10.0.0.2', port: 80, weight: 3 };
    let sourcePort = 1000;
    const next = () =>
      ipvs.process({ ...web, source: '172.16.0.1', sourcePort: sourcePort++, destination: web.address, destinationPort: web.port }).server
        ?.address;
    const nextFour = () => [next(), next(), next(), next()];
    ipvs.addService(web, { scheduler: 'wrr' });
    ipvs.addServer(web, { ...light, upperThreshold: 1 });
    ipvs.addServer(web, { ...heavy, upperThreshold: 2 });
    // One visit to each, then the round from the top, in which the heavy one gets full.
    expect(nextFour()).toEqual([heavy.address, light.address, heavy.address, undefined]);
    for (const server of [light, heavy]) ipvs.editServer(web, server);
    expect(nextFour()).toEqual([heavy.address, heavy.address, heavy.address, light.address]);
  },
);
