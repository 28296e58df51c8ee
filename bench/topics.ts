// What else the benchmark asks, besides questions about packets: each topic measures by itself and answers in lines and in a text.
import { ALLOCATION, allocationFailure, measureAllocation } from './allocation.ts';
import { CLUSTER, clusterLines, clusterText, measureCluster } from './cluster.ts';
import { CONNECTION_TABLE, measureConnectionTables, TABLE_SIZES, TABLE_SMOKE_SIZES, tableLine, tableText } from './connection-table.ts';
import { CONTROL_PLANE, controlPlaneLine, controlPlaneText, measureControlPlane } from './control-plane.ts';
import { DNS, dnsLines, dnsText, measureDns } from './dns.ts';
import { MAGLEV, MAGLEV_SIZES, MAGLEV_SMOKE_SIZES, maglevLine, maglevText, measureMaglev } from './maglev.ts';
import { measureNativeParts, NATIVE_PARTS, nativePartsLine, nativePartsText } from './native-parts.ts';
import type { BenchOptions } from './options.ts';
import { measureProfiles, PROFILE, profileLine, profilesText } from './profile.ts';
import { allocationLine, allocationText } from './report.ts';
import { measureSchedulers, SCHEDULER_COSTS, schedulerLines, schedulersText } from './schedulers.ts';
import { measureStartUp, START_UP, startUpLine, startUpText } from './start-up.ts';

export interface Answer {
  /** One line of JSON a figure. */
  readonly lines: readonly string[];
  readonly text: string;
  /** Why the answer breaks a rule that holds on every machine. */
  readonly failure?: string | undefined;
}

export interface Topic {
  /** For --only. */
  readonly name: string;
  measure(options: BenchOptions, progress: (step: string) => void): Answer | Promise<Answer>;
}

/** Passes of 65,536 packets between two looks at the heap. */
const ALLOCATION_PASSES = 100;
const ALLOCATION_SMOKE_PASSES = 30;

export const TOPICS: readonly Topic[] = [
  {
    name: PROFILE,
    measure: async ({ smoke }, progress) => {
      const measured = await measureProfiles(smoke, progress);
      return { lines: measured.map(profileLine), text: profilesText(measured) };
    },
  },
  {
    name: NATIVE_PARTS,
    measure: async ({ smoke }) => {
      const measured = await measureNativeParts(smoke);
      return { lines: measured.map(nativePartsLine), text: nativePartsText(measured) };
    },
  },
  {
    name: CONNECTION_TABLE,
    measure: ({ smoke }) => {
      const measured = measureConnectionTables(smoke ? TABLE_SMOKE_SIZES : TABLE_SIZES);
      return { lines: measured.map(tableLine), text: tableText(measured) };
    },
  },
  {
    name: START_UP,
    measure: async ({ smoke }) => {
      const measured = await measureStartUp(smoke);
      return { lines: measured.map(startUpLine), text: startUpText(measured) };
    },
  },
  {
    name: CONTROL_PLANE,
    measure: async ({ smoke, starts }, progress) => {
      const measured = await measureControlPlane(smoke, starts, progress);
      return { lines: measured.map(controlPlaneLine), text: controlPlaneText(measured) };
    },
  },
  {
    name: CLUSTER,
    measure: async ({ smoke }) => {
      const figures = await measureCluster(smoke);
      return { lines: clusterLines(figures).split('\n'), text: clusterText(figures) };
    },
  },
  {
    name: SCHEDULER_COSTS,
    measure: async ({ smoke, rounds, clock }) => {
      const costs = await measureSchedulers(smoke, rounds, clock);
      return { lines: schedulerLines(costs), text: schedulersText(costs) };
    },
  },
  {
    name: DNS,
    measure: async ({ smoke, rounds }) => {
      const figures = await measureDns(smoke, rounds);
      return { lines: dnsLines(figures).split('\n'), text: dnsText(figures) };
    },
  },
  {
    // Counts, which need no rounds and no processes.
    name: MAGLEV,
    measure: ({ smoke }) => {
      const measured = measureMaglev(smoke ? MAGLEV_SMOKE_SIZES : MAGLEV_SIZES);
      return { lines: measured.map(maglevLine), text: maglevText(measured) };
    },
  },
  {
    name: ALLOCATION,
    measure: async ({ smoke }) => {
      const allocation = await measureAllocation(smoke ? ALLOCATION_SMOKE_PASSES : ALLOCATION_PASSES);
      return { lines: [allocationLine(allocation)], text: allocationText(allocation), failure: allocationFailure(allocation) };
    },
  },
];
