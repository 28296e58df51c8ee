// The kernel's nf_conntrack against what was recorded of it in conntrack.json: the file stays true. SVCPLANE_RECORD_CONNTRACK=1 writes it anew.
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONNTRACK_CASES, recordedCases } from './conntrack-cases.ts';
import { prepare, recordAll, whyNotConntrack } from './conntrack-node.ts';
import { Network } from './network.ts';

const reason = whyNotConntrack();
if (reason !== undefined) console.log(`conntrack: SKIPPED, ${reason}`);

describe.skipIf(reason !== undefined)('nf_conntrack', () => {
  let network: Network;
  beforeAll(() => {
    network = new Network('conntrack');
  });
  afterAll(() => network?.[Symbol.dispose]());

  test('makes of every case what was recorded', async () => {
    prepare(network);
    const recorded = await recordAll(network, CONNTRACK_CASES);
    if (process.env.SVCPLANE_RECORD_CONNTRACK === '1') {
      writeFileSync(new URL('./conntrack.json', import.meta.url), `[\n${recorded.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
    }
    expect(recorded).toEqual(recordedCases());
  });
});
