// Objects → ServicePort and Endpoint maps, step by step: every case of kube-proxy-maps.json.
import { describe, expect, test } from 'vitest';
import { readWatchedObject } from '../../src/api/read-object.ts';
import { settleConfig } from '../../src/api/settings.ts';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';
import { healthCheckNodePorts, localReadyEndpoints, noLocalEndpointCounts } from '../../src/state/health.ts';
import { type ClusterState, createState } from '../../src/state/state.ts';
import { loadConformance } from './data.ts';

interface Facts {
  readonly endpoints?: Readonly<Record<string, readonly { readonly endpoint: string; readonly local: boolean }[]>>;
  readonly localReadyEndpoints?: Readonly<Record<string, number>>;
  readonly conntrackCleanupRequired?: boolean;
  readonly servicePorts?: number;
  readonly healthCheckNodePorts?: Readonly<Record<string, number>>;
  readonly noLocalEndpointsInternal?: number;
  readonly noLocalEndpointsExternal?: number;
}

interface MapsCase {
  readonly id: string;
  readonly title: string;
  readonly node?: { readonly name: string };
  readonly steps: readonly {
    readonly apply?: readonly KubernetesObject[];
    readonly delete?: readonly ObjectRef[];
    readonly expect: Facts;
  }[];
}

type Parts = 'endpointsMap' | 'serviceMap' | 'noLocalEndpoints';
const data = loadConformance<Readonly<Record<Parts, readonly MapsCase[]>>>('kube-proxy-maps.json');

describe.each(Object.entries({ endpointsMap: data.endpointsMap, serviceMap: data.serviceMap, noLocalEndpoints: data.noLocalEndpoints }))(
  '%s',
  (_part, cases) => {
    test.each(cases)('$id: $title', ({ node, steps }) => {
      const state = createState({ nodeName: node?.name ?? '', features: settleConfig().features });
      for (const step of steps) {
        state.apply((step.apply ?? []).flatMap((object) => readWatchedObject(object) ?? []));
        state.delete(step.delete ?? []);
        const facts = factsOf(state);
        expect({ ...facts, ...step.expect }).toEqual(facts);
      }
    });
  },
);

/** All facts the data may ask for; asking settles the state as a sync does. */
function factsOf(state: ClusterState): Facts {
  const expected = state.expectedState('IPv4');
  const endpointsByService = state.endpointsByService('IPv4');
  const { internal, external } = noLocalEndpointCounts(expected);
  return {
    endpoints: Object.fromEntries(
      [...endpointsByService].flatMap(([serviceKey, byPort]) =>
        [...byPort.values()].map(({ portName, protocol, records }) => [
          `${serviceKey}${portName === '' ? '' : `:${portName}`}/${protocol}`,
          records.map(({ text, isLocal }) => ({ endpoint: text, local: isLocal })),
        ]),
      ),
    ),
    localReadyEndpoints: Object.fromEntries(localReadyEndpoints(endpointsByService)),
    conntrackCleanupRequired: state.takeConntrackCleanup('IPv4') !== undefined,
    servicePorts: expected.servicePorts.length,
    healthCheckNodePorts: Object.fromEntries(healthCheckNodePorts(expected)),
    noLocalEndpointsInternal: internal,
    noLocalEndpointsExternal: external,
  };
}
