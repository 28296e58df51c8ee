// The core's connection table under random traffic: after every batch all of its invariants hold, through growth, expiry and removal.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Family } from '../../../src/address.ts';
import { settleConfig } from '../../../src/api/settings.ts';
import { compile } from '../../../src/compile/compile.ts';
import { compileOptionsFor } from '../../../src/compile/node-options.ts';
import { nodeIpvsSysctls } from '../../../src/engine/ipvs-sysctls.ts';
import { writePacket } from '../../../src/engine/packet-record.ts';
import { checkEngine } from '../../../src/engine/wasm/check-engine.ts';
import { startCoreSync } from '../../../src/engine/wasm/core.ts';
import { embeddedCore } from '../../../src/engine/wasm/embedded-core.ts';
import { WasmEngine } from '../../../src/engine/wasm/engine.ts';

const BATCH = 64;

function engineFor(family: Family, conntrackMax: number): WasmEngine {
  const settings = settleConfig({ nodeIPs: [family === 'IPv4' ? '192.168.0.1' : '2001:db8::1'] });
  const options = { seed: 1, conntrackMax, timeouts: settings.timeouts, tcpLoose: true, ipvsSysctls: nodeIpvsSysctls('ipvs') };
  const engine = new WasmEngine(startCoreSync(embeddedCore()), options);
  engine.load(compile('iptables', { family, servicePorts: [], endpointCount: 0 }, compileOptionsFor(settings, family)));
  return engine;
}

const address: Readonly<Record<Family, (index: number) => string>> = {
  IPv4: (index) => `10.0.${index >> 8}.${index & 255}`,
  IPv6: (index) => `fd00::${(index + 1).toString(16)}`,
};

describe.each(['IPv4', 'IPv6'] as const)('the connection table of %s', (family) => {
  test('keeps its invariants under random traffic, expiry and removal', () => {
    const step = fc.record({
      clients: fc.integer({ min: 1, max: 400 }),
      advanceMs: fc.constantFrom(0, 10, 15_000, 40_000),
      removeEvery: fc.integer({ min: 2, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom(50, 5000), (steps, conntrackMax) => {
        const engine = engineFor(family, conntrackMax);
        const batch = engine.createBatch(family, BATCH);
        let now = 1;
        let packets = 0;
        for (const { clients, advanceMs, removeEvery } of steps) {
          now += advanceMs;
          for (let sent = 0; sent < clients; sent += BATCH) {
            for (let index = 0; index < BATCH; index++) {
              const client = (packets++ * 7919) % clients;
              const packet = {
                protocol: 'UDP',
                source: address[family](client),
                sourcePort: 1000,
                destination: address[family](600 + (client % 3)),
                destinationPort: 53,
              } as const;
              writePacket(batch.packetWords(), index, family, packet, 0);
            }
            engine.processBatch(batch, BATCH, now);
            checkEngine(engine);
          }
          let seen = 0;
          engine.deleteConnections(now, () => ++seen % removeEvery === 0);
          checkEngine(engine);
          expect(engine.counters(now).connections).toBeLessThanOrEqual(conntrackMax);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('finds every connection after the index has grown many times', () => {
    const engine = engineFor(family, 20_000);
    const batch = engine.createBatch(family, BATCH);
    const send = (round: number): void => {
      for (let index = 0; index < BATCH; index++) {
        const client = round * BATCH + index;
        const packet = {
          protocol: 'UDP',
          source: address[family](client),
          sourcePort: 1000,
          destination: address[family](60_000),
          destinationPort: 53,
        } as const;
        writePacket(batch.packetWords(), index, family, packet, 0);
      }
      engine.processBatch(batch, BATCH, 1);
    };
    for (let round = 0; round < 200; round++) send(round);
    checkEngine(engine);
    const before = engine.counters(1);
    for (let round = 0; round < 200; round++) send(round);
    const after = engine.counters(1);
    expect(after.newConnections).toBe(before.newConnections);
    expect(after.established - before.established).toBe(200 * BATCH);
  });
});
