// The Linux kernel against the model: what `render` prints is loaded with the real tools into namespaces of our own, real connections are
// opened, and what came of each must be an outcome that `explain` foretold. SVCPLANE_KERNEL_SEED repeats a run.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Family } from '../../src/address.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import { PLANS } from '../differential/clusters.ts';
import { affinityReport } from './affinity.ts';
import { type Certificate, certify } from './certification.ts';
import {
  clusterDataplane,
  clusterObjects,
  clusterProbes,
  type KernelCluster,
  matrix,
  OTHER_CONFIGS,
  PLAIN,
  randomClusters,
} from './clusters.ts';
import { endpointListeners, flowCases, flowDataplaneInNamespace, flowProbes } from './flow-cases.ts';
import { type Probe, packetOf } from './probe.ts';
import { readBackDifferences } from './read-back.ts';
import { Tally } from './tally.ts';
import { Testbed } from './testbed.ts';
import { VARIANTS, whyNoNetwork, whyNot } from './variant.ts';

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const RANDOM_CLUSTERS = 12;
/** More stories do not help. */
const STORIES_MAX = 5;

const noNetwork = whyNoNetwork();
const seed = Number(process.env.SVCPLANE_KERNEL_SEED ?? Math.floor(Math.random() * 0x7fffffff));
const tally = new Tally();

beforeAll(() => {
  if (noNetwork !== undefined) console.log(`kernel: SKIPPED, ${noNetwork}`);
  else console.log(`kernel: seed ${seed} (SVCPLANE_KERNEL_SEED=${seed} repeats it)`);
});

afterAll(() => {
  if (noNetwork === undefined) console.log(`kernel: ${tally.report}`);
});

function settle(certificate: Certificate): void {
  tally.add(certificate);
  const { stories } = certificate;
  const rest = stories.length - STORIES_MAX;
  const shown = [...stories.slice(0, STORIES_MAX), ...(rest > 0 ? [`… and ${rest} more`] : [])];
  expect.soft(stories.length, `\n${shown.join('\n\n')}\n`).toBe(0);
}

describe.each(VARIANTS)('$name', (variant) => {
  const reason = noNetwork ?? whyNot(variant);
  if (reason !== undefined) {
    test.skip(`SKIPPED, ${reason}`, () => {});
    return;
  }
  let testbed: Testbed;
  beforeAll(() => {
    testbed = new Testbed(variant);
  });
  afterAll(() => testbed?.[Symbol.dispose]());

  async function run(
    title: string,
    dataplane: Dataplane,
    nodeAddresses: readonly string[],
    objects: readonly KubernetesObject[],
    probes: readonly Probe[],
  ): Promise<Certificate> {
    testbed.network.setNodeAddresses(nodeAddresses);
    testbed.load(dataplane.render());
    expect.soft(readBack(dataplane), `${title}: what is printed back is another Program`).toEqual([]);
    return certify(testbed, dataplane, probes, endpointListeners(objects), title);
  }

  /** How what the tools print back differs from what they were given. */
  function readBack(dataplane: Dataplane): string[] {
    return FAMILIES.flatMap((family) => {
      const saved = testbed.saved(family);
      if (saved === undefined) return [];
      tally.countReadBack();
      return readBackDifferences(family, dataplane.render(), saved);
    });
  }

  function runCluster({ services, config }: KernelCluster, family: Family, title: string): Promise<Certificate> {
    const dataplane = clusterDataplane(variant.mode, PLANS[family], config);
    const objects = clusterObjects(services, family);
    dataplane.apply(objects);
    const about = `${title}, ${JSON.stringify(config)}`;
    return run(about, dataplane, PLANS[family].node, objects, clusterProbes(services, family));
  }

  test.each(flowCases(variant.mode))('runs flow $id', async (flow) => {
    const dataplane = flowDataplaneInNamespace(flow, variant.mode);
    const objects: KubernetesObject[] = [];
    for (const [index, step] of flow.steps.entries()) {
      dataplane.apply(step.apply ?? []);
      dataplane.delete(step.delete ?? []);
      objects.push(...(step.apply ?? []));
      const probes = flowProbes(step);
      if (probes.length > 0) settle(await run(`${flow.id}, step ${index}`, dataplane, flow.node.ips, objects, probes));
    }
  });

  describe.each(FAMILIES)('%s', (family) => {
    test('runs every combination of type, policy and endpoints', async () => {
      settle(await runCluster({ services: matrix(), config: PLAIN }, family, `matrix of ${family}`));
    });

    test.each(OTHER_CONFIGS)('runs the combinations with $detectLocal, masqueradeAll $masqueradeAll', async (config) => {
      const services = matrix().filter((_, index) => index % 5 === 0);
      settle(await runCluster({ services, config }, family, `part of the matrix of ${family}`));
    });

    test(`runs ${RANDOM_CLUSTERS} random clusters`, async () => {
      for (const [index, cluster] of randomClusters(seed, RANDOM_CLUSTERS).entries()) {
        settle(await runCluster(cluster, family, `random cluster ${index} of ${family}, seed ${seed}`));
      }
    });

    test('keeps clients with session affinity at their endpoints', async () => {
      const candidates = matrix(true).filter(({ endpoints, range }) => endpoints.length > 1 && range < 0);
      const services = candidates.filter((_, index) => index % 4 < 2);
      const dataplane = clusterDataplane(variant.mode, PLANS[family], PLAIN);
      const objects = clusterObjects(services, family);
      dataplane.apply(objects);
      testbed.network.setNodeAddresses(PLANS[family].node);
      testbed.load(dataplane.render());
      expect.soft(readBack(dataplane)).toEqual([]);
      // Only where a backend is reached whatever chance decides: what is refused binds nobody.
      const isReached = (probe: Probe) =>
        dataplane.explain(packetOf(probe, testbed)).outcomes.every(({ backend }) => backend !== undefined);
      const probes = clusterProbes(services, family).filter(isReached);
      const report = await affinityReport(testbed, dataplane, probes, endpointListeners(objects));
      expect(report.bound).toBeGreaterThan(500);
      tally.addAffinity(report);
      expect(report.disagreements.length, report.disagreements.slice(0, STORIES_MAX).join('\n')).toBe(0);
    });

    // Without this, a harness that sees nothing would pass.
    test('notices rules that are not those of the model', async () => {
      const services = matrix().filter((_, index) => index % 7 === 0);
      const [dataplane, other] = [PLAIN, { ...PLAIN, masqueradeAll: true }].map((config) =>
        clusterDataplane(variant.mode, PLANS[family], config),
      );
      const objects = clusterObjects(services, family);
      dataplane?.apply(objects);
      other?.apply(clusterObjects([...services].reverse(), family));
      if (dataplane === undefined || other === undefined) return;
      testbed.network.setNodeAddresses(PLANS[family].node);
      testbed.load(other.render());
      const { stories } = await certify(
        testbed,
        dataplane,
        clusterProbes(services, family),
        endpointListeners(objects),
        'wrong on purpose',
      );
      expect(stories.length).toBeGreaterThan(100);
    });
  });
});
