// A service on port 21, as ip_vs_service_find and ip_vs_sched_persist treat it: passive FTP's data connections go where the control connection went.
import { describe, expect, test } from 'vitest';
import type { Ipvs, IpvsVerdict, ServiceOptions } from '../../src/ipvs/types.ts';
import { createIpvsSync } from '../../src/ipvs.ts';

const VIRTUAL = '10.96.0.10';
const FTP = { protocol: 'TCP', address: VIRTUAL, port: 21 } as const;
const PERSISTENT: ServiceOptions = { scheduler: 'rr', persistence: { timeout: 300 } };
const RESET = { action: 'RESET' };

describe.each(['wasm', 'js'] as const)('an FTP service on the %s engine', (engine) => {
  function create(options: ServiceOptions, ...servers: readonly string[]): Ipvs {
    const ipvs = createIpvsSync({ engine, now: () => 0 });
    ipvs.addService(FTP, options);
    for (const address of servers) ipvs.addServer(FTP, { address, port: 2121 });
    return ipvs;
  }

  function send(ipvs: Ipvs, client: number, destinationPort: number): IpvsVerdict {
    const ends = { source: `172.16.0.${client}`, sourcePort: 40000, destination: VIRTUAL, destinationPort };
    return ipvs.process({ protocol: 'TCP', ...ends });
  }

  function forwarded(address: string, port: number): IpvsVerdict {
    return { action: 'FORWARD', server: { address, port } };
  }

  test('sends the data of a client to the server of its control connection, at the port that was asked for', () => {
    const ipvs = create(PERSISTENT, '10.0.0.1', '10.0.0.2');
    expect(send(ipvs, 1, 21)).toEqual(forwarded('10.0.0.2', 2121));
    expect(send(ipvs, 2, 21)).toEqual(forwarded('10.0.0.1', 2121));
    expect([send(ipvs, 1, 1024), send(ipvs, 1, 20)]).toEqual([forwarded('10.0.0.2', 1024), forwarded('10.0.0.2', 20)]);
    expect(send(ipvs, 2, 65535)).toEqual(forwarded('10.0.0.1', 65535));
    const templates = Array.from(ipvs.connections()).filter(({ client }) => client.port === 0);
    expect(templates.map(({ virtual, server }) => [virtual.port, server.port])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('begins with data, too', () => {
    const ipvs = create(PERSISTENT, '10.0.0.1', '10.0.0.2');
    expect(send(ipvs, 1, 5000)).toEqual(forwarded('10.0.0.2', 5000));
    expect(send(ipvs, 1, 21)).toEqual(forwarded('10.0.0.2', 2121));
  });

  test('leaves ports below 1024 alone, and data while it is not persistent or has no server', () => {
    expect(send(create(PERSISTENT, '10.0.0.1'), 1, 1023)).toEqual(RESET);
    const single = create({ scheduler: 'rr' }, '10.0.0.1');
    expect([send(single, 1, 5000), send(single, 1, 21)]).toEqual([RESET, forwarded('10.0.0.1', 2121)]);
    const empty = create(PERSISTENT);
    expect([send(empty, 1, 5000), send(empty, 1, 21)]).toEqual([RESET, { action: 'REJECT' }]);
  });

  test('comes after a service on the very port, and before one on port 0', () => {
    const ipvs = create(PERSISTENT, '10.0.0.1');
    for (const [port, address] of [
      [0, '10.0.0.2'],
      [8080, '10.0.0.3'],
    ] as const) {
      const service = { protocol: 'TCP', address: VIRTUAL, port } as const;
      ipvs.addService(service, PERSISTENT);
      ipvs.addServer(service, { address, port: 0 });
    }
    expect(send(ipvs, 1, 8080)).toEqual(forwarded('10.0.0.3', 8080));
    expect(send(ipvs, 1, 8081)).toEqual(forwarded('10.0.0.1', 8081));
    expect(send(ipvs, 2, 80)).toEqual(forwarded('10.0.0.2', 80));
  });
});
