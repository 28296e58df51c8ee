// Random lives of an IPVS namespace, verb by verb: both engines agree on every verdict and on all that can be seen after each step.
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { ipvsLife, type Model } from './ipvs-commands.ts';
import { IpvsPair } from './ipvs-pair.ts';

const RUNS = 80;
const TIMEOUT_MS = 300_000;

describe.each(['IPv4', 'IPv6'] as const)('both IPVS engines on %s', (family) => {
  test(
    'agree after every one of random commands',
    () => {
      // fast-check prints the seed, and the shrunk commands of a failure.
      fc.assert(
        fc.property(fc.integer({ min: 0 }), fc.boolean(), ipvsLife(family), (seed, conntrackHooks, commands) => {
          const setup = (): { model: Model; real: IpvsPair } => ({
            model: { services: new Map(), sent: [] },
            real: new IpvsPair(seed, conntrackHooks),
          });
          fc.modelRun(setup, commands);
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );
});
