// The twin and the engines do the same work: without that, comparing their speed means nothing.
import { describe, expect, test } from 'vitest';
import { createFrameProcessor, createProcessor } from '../../bench/create-processor.ts';
import { VerdictDigest } from '../../bench/digest.ts';
import { FramePasses } from '../../bench/frame-passes.ts';
import { whyNoNative } from '../../bench/native/build.ts';
import { Passes } from '../../bench/passes.ts';
import { compareResults, MismatchError } from '../../bench/rounds.ts';
import { ENTRY_STATE, TwinConnections } from '../../bench/twin/connections.ts';
import { sipHash1 } from '../../bench/twin/maglev.ts';
import { TUPLES_V4 } from '../../bench/twin/tuples.ts';
import { VARIANTS, type VariantName } from '../../bench/variants.ts';
import type { Workload } from '../../bench/workload.ts';
import { sipHash } from '../../src/ipvs/js/schedulers/siphash.ts';

const small: Workload = {
  mode: 'iptables',
  serviceCount: 7,
  endpointsPerService: 3,
  aim: 'random',
  connections: 'new',
  flowCount: 64,
  packetCount: 64,
  packetsPerPass: 64,
  batchSize: 16,
  seed: 7,
};

/** Without Map code, which knows neither IPv6, nor Maglev, nor prefixes. */
const TYPED = VARIANTS.filter((variant) => variant !== 'map');

/** Digests of three passes, the second one unchecked, as in a benchmark. */
function threePasses(variant: VariantName, workload: Workload): ReturnType<VerdictDigest['result']>[] {
  const passes = new Passes(createProcessor(variant, workload), workload);
  const first = passes.runChecked().result;
  passes.reset();
  passes.run();
  passes.reset();
  const last = passes.runChecked().result;
  passes.verifyCounters();
  return [first, last];
}

const established = { connections: 'established', packetCount: 192 } as const;

const workloads: readonly (readonly [string, Workload, readonly VariantName[]])[] = [
  ['new connections by scan', small, VARIANTS],
  ['new connections by scan to the last Service', { ...small, aim: 'last' }, VARIANTS],
  ['new connections to no Service', { ...small, aim: 'none' }, VARIANTS],
  ['new connections past rules of a dump', { ...small, dump: 'exact', endpointsPerService: 1 }, VARIANTS],
  ['new connections past masked rules of a dump', { ...small, dump: 'masked', endpointsPerService: 1 }, TYPED],
  ['new connections by one random number', { ...small, mode: 'nftables' }, VARIANTS],
  ['new connections by lookup', { ...small, mode: 'ipvs' }, VARIANTS],
  ['new connections by Maglev hashing', { ...small, mode: 'ipvs', scheduler: 'mh' }, TYPED],
  ['new connections beside others that stand', { ...small, standingCount: 100 }, VARIANTS],
  ['new connections of IPVS beside others that stand', { ...small, mode: 'ipvs', standingCount: 100 }, VARIANTS],
  ['new connections of IPv6', { ...small, family: 'IPv6' }, TYPED],
  ['established connections', { ...small, ...established }, VARIANTS],
  ['established connections of IPVS', { ...small, ...established, mode: 'ipvs' }, VARIANTS],
  ['established connections of IPv6', { ...small, ...established, family: 'IPv6' }, TYPED],
];

describe.each(workloads)('%s', (_, workload, variants) => {
  test.each(variants)('%s gives what the TypeScript engine gives, packet by packet', (variant) => {
    const expected = threePasses('js', workload);
    threePasses(variant, workload).forEach((result, pass) => {
      compareResults(
        [
          { variant: 'js', result: expected[pass] },
          { variant, result },
        ],
        'test',
      );
    });
  });
});

const whyNot = whyNoNative();
if (whyNot !== undefined) console.warn(`skipped: the native reference, ${whyNot}`);

describe.skipIf(whyNot !== undefined)('the native reference', () => {
  test.each([
    ['native', 'IPv4'],
    ['native-prefetch', 'IPv4'],
    ['native', 'IPv6'],
    ['native-prefetch', 'IPv6'],
  ] as const)('%s gives what the TypeScript engine gives for established connections of %s', (variant, family) => {
    const workload: Workload = { ...small, ...established, family };
    const expected = threePasses('js', workload);
    threePasses(variant, workload).forEach((result, pass) => {
      expect(result?.tuples).toBe(expected[pass]?.tuples);
    });
  });

  const beginnings: readonly (readonly [string, Workload])[] = [
    ['by round robin', { ...small, mode: 'ipvs' }],
    ['by Maglev hashing', { ...small, mode: 'ipvs', scheduler: 'mh' }],
    ['beside others that stand', { ...small, mode: 'ipvs', standingCount: 100 }],
    ['to no Service', { ...small, mode: 'ipvs', aim: 'none' }],
    ['past rules of a dump', { ...small, dump: 'exact', endpointsPerService: 1 }],
    ['past masked rules of a dump', { ...small, dump: 'masked', endpointsPerService: 1 }],
  ];

  describe.each(beginnings)('begins connections %s', (_, workload) => {
    test.each(['native', 'native-prefetch'] as const)('%s, as the TypeScript engine does', (variant) => {
      const tuples = (one: VariantName) => threePasses(one, workload).map((result) => result.tuples);
      expect(tuples(variant)).toEqual(tuples('js'));
    });
  });
});

describe.each(['transmit', 'in place'] as const)('frames, %s', (frames) => {
  const workload: Workload = { ...small, ...established, frames };
  const bytes = (variant: VariantName): string[] => {
    const passes = new FramePasses(createFrameProcessor(variant, workload), workload);
    const digests = [0, 1].map(() => {
      passes.reset();
      return passes.runChecked().result.tuples;
    });
    passes.verifyCounters();
    return digests;
  };

  // The twin and C know transmit rings alone.
  const native: readonly VariantName[] = whyNot === undefined ? ['native', 'native-prefetch'] : [];
  test.each<VariantName>(frames === 'transmit' ? ['wasm', 'twin', ...native] : ['wasm'])(
    'leave %s as they leave the TypeScript engine',
    (variant) => {
      expect(bytes(variant)).toEqual(bytes('js'));
    },
  );
});

test("the twin's hash of a client is that of the scheduler", () => {
  const hash = sipHash(2654435761);
  for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xac100001]) expect(sipHash1(value)).toBe(hash(value));
});

test('passes that repeat draw new random numbers: the digests of two passes differ', () => {
  const [first, last] = threePasses('twin', small);
  expect(first?.packets).toBe(64);
  expect(first?.tuples).not.toBe(last?.tuples);
});

describe('a mismatch', () => {
  const result = { packets: 1, tuples: 'a', rules: 'b', meanRules: 1 };

  test('of one packet changes the digest', () => {
    const verdicts = new Uint32Array(12).fill(1);
    const before = new VerdictDigest();
    before.add(verdicts, 2);
    verdicts[11] = 2; // the destination of the second packet
    const after = new VerdictDigest();
    after.add(verdicts, 2);
    expect(after.result().tuples).not.toBe(before.result().tuples);
    expect(after.result().rules).toBe(before.result().rules);
  });

  test('in tuples stops the benchmark', () => {
    const wrong = { variant: 'twin', result: { ...result, tuples: 'x' } } as const;
    expect(() => compareResults([{ variant: 'wasm', result }, wrong], 'here')).toThrow(MismatchError);
  });

  test('in evaluated rules counts between the engines, and not for the twin', () => {
    const otherRules = { ...result, rules: 'x' };
    expect(() =>
      compareResults(
        [
          { variant: 'wasm', result },
          { variant: 'js', result: otherRules },
        ],
        'here',
      ),
    ).toThrow(MismatchError);
    expect(() =>
      compareResults(
        [
          { variant: 'wasm', result },
          { variant: 'twin', result: otherRules },
        ],
        'here',
      ),
    ).not.toThrow();
  });
});

test('the connection table finds exactly what stands in it while connections come and go', () => {
  const flowCount = 200;
  const connections = new TwinConnections(TUPLES_V4, flowCount);
  const originalOf = (flow: number) => Int32Array.of(flow + 1, 1000, flow);
  const replyOf = (flow: number) => Int32Array.of(2000 + (flow % 3), flow + 1, flow);
  const entryOf = new Map<number, number>();
  const enter = (flow: number): void => {
    const at = connections.insert(originalOf(flow), 0, replyOf(flow));
    connections.words[at + ENTRY_STATE] = 1;
    entryOf.set(flow, at / 16);
  };
  for (let flow = 0; flow < flowCount; flow++) enter(flow);
  for (let step = 0; step < 5000; step++) {
    const flow = (step * 7919) % flowCount;
    const entry = entryOf.get(flow);
    if (entry === undefined) {
      enter(flow);
    } else {
      connections.remove(entry);
      entryOf.delete(flow);
    }
    const asked = (step * 104_729) % flowCount;
    const expected = entryOf.get(asked);
    expect(connections.find(originalOf(asked), 0)).toBe(expected === undefined ? -1 : expected * 2);
    expect(connections.find(replyOf(asked), 0)).toBe(expected === undefined ? -1 : expected * 2 + 1);
  }
  expect(connections.count).toBe(entryOf.size);
});
