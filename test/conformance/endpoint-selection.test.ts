// Which endpoints of a ServicePort a node uses: every case of kube-proxy-endpoint-selection.json.
import { expect, test } from 'vitest';
import { readWatchedObject } from '../../src/api/read-object.ts';
import { settleConfig } from '../../src/api/settings.ts';
import { type Endpoint, usesClusterEndpoints, usesLocalEndpoints } from '../../src/state/expected-state.ts';
import { createState } from '../../src/state/state.ts';
import { objectsOf, SELECTIONS } from './selection-cases.ts';

test.each(SELECTIONS)('$id: $title', (given) => {
  const expected = given.expect;
  const state = createState({ nodeName: given.node.name, features: settleConfig().features });
  state.apply(objectsOf(given).flatMap((object) => readWatchedObject(object) ?? []));

  const [selected] = state.expectedState('IPv4').servicePorts;

  if (selected === undefined) throw new Error('the Service has no ServicePort');
  const { servicePort, clusterEndpoints, localEndpoints, reachableEndpoints, hasAnyEndpoints } = selected;
  expect({
    clusterEndpoints: usesClusterEndpoints(servicePort) ? texts(clusterEndpoints) : null,
    localEndpoints: usesLocalEndpoints(servicePort) ? texts(localEndpoints) : null,
    allEndpoints: texts(reachableEndpoints),
    onlyRemoteEndpoints: hasAnyEndpoints && reachableEndpoints.length === 0,
    hasAnyEndpoints,
  }).toEqual({
    ...expected,
    clusterEndpoints: expected.clusterEndpoints?.toSorted() ?? null,
    localEndpoints: expected.localEndpoints?.toSorted() ?? null,
    allEndpoints: expected.allEndpoints.toSorted(),
  });
});

function texts(endpoints: readonly Endpoint[]): string[] {
  return endpoints.map((endpoint) => endpoint.text);
}
