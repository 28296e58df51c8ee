// Two connections of IPVS with one tuple from the server: conntrack tells their answers apart, IPVS takes all for those of the newer one,
// as the kernel does.
import { expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Packet, Verdict } from '../../src/packet.ts';
import { CLUSTER_IP, service, slice } from '../dataplane/objects.ts';

const EXTERNAL_IP = '198.51.100.7';

function answerTo({ translated }: Verdict): Packet {
  return {
    protocol: 'UDP',
    source: translated.destination,
    sourcePort: translated.destinationPort,
    destination: translated.source,
    destinationPort: translated.sourcePort,
  };
}

test.each(['wasm', 'js'] as const)('answers of one server to one client keep the newer connection alive on the %s engine', (engine) => {
  let now = 0;
  using dataplane = createDataplaneSync({ engine, mode: 'ipvs', nodeIPs: ['192.168.0.2'], seed: 3, now: () => now });
  dataplane.apply([service('UDP', { externalIPs: [EXTERNAL_IP] }), slice('UDP', [{ address: '10.0.1.1' }])]);
  const send = (destination: string): Verdict =>
    dataplane.process({ protocol: 'UDP', source: '10.0.0.7', sourcePort: 4000, destination, destinationPort: 80 });
  const answers = [send(CLUSTER_IP), send(EXTERNAL_IP)].map(answerTo);
  const answerBoth = (): void => {
    for (const answer of answers) expect(dataplane.process(answer).connection).toBe('REPLY');
  };
  answerBoth();
  now += 3000;
  for (const destination of [CLUSTER_IP, EXTERNAL_IP]) expect(send(destination).connection).toBe('ESTABLISHED');
  for (let round = 0; round < 3; round++) {
    now += 99_000;
    answerBoth();
  }
  now += 4000; // 301 seconds after the clients' last packets
  expect(Array.from(dataplane.connections(), ({ original }) => original.destination)).toEqual([EXTERNAL_IP]);
});
