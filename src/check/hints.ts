// Topology: Services that ask for near endpoints and do not get them, and why.
import { nodeShare, topologyMode } from '../cluster/topology-hints.ts';
import type { Issue } from './finding.ts';
import type { EndpointFacts, Scene, ServiceFacts } from './scene.ts';
import { listed } from './words.ts';

export function checkHints(scene: Scene): Issue[] {
  // The zones of made-up nodes are nobody's.
  if (!scene.areNodesGiven) return [];
  return scene.services.flatMap((facts) => {
    const path = askedBy(facts);
    const ready = facts.endpoints.filter(({ isReady }) => isReady);
    if (path === undefined || ready.length === 0 || facts.isHeadless) return [];
    const obstacle = obstacleTo(facts, ready, scene);
    return obstacle === undefined ? [] : [{ rule: 'hints-ignored', object: facts.service, path, ...obstacle }];
  });
}

/** The field that asks for topology. */
function askedBy({ service, spec }: ServiceFacts): string | undefined {
  const mode = topologyMode(service);
  if (mode === undefined) return undefined;
  if (mode.annotation !== undefined) return `metadata.annotations.${mode.annotation}`;
  return spec.trafficDistribution === undefined ? undefined : 'spec.trafficDistribution';
}

type Obstacle = Pick<Issue, 'reason' | 'remedy'>;

function obstacleTo({ service, spec }: ServiceFacts, ready: readonly EndpointFacts[], { nodes, objectsOf }: Scene): Obstacle | undefined {
  const mode = topologyMode(service);
  const withoutHint = ready.filter(({ hintedZones, hintedNodes }) => hintedZones.length + hintedNodes.length === 0);
  if (withoutHint.length > 0) {
    const why = mode?.kind === 'Auto' ? autoObstacle(ready, objectsOf('Node').map(nodeShare)) : 'their zones are not known';
    return {
      reason: `${withoutHint.length} of ${ready.length} ready endpoints have no hint (${why}), so every node uses all endpoints`,
      remedy:
        mode?.kind === 'Auto'
          ? 'trafficDistribution: PreferSameZone asks for less, and gets its hints with any number of endpoints'
          : 'give each Node the label topology.kubernetes.io/zone',
    };
  }
  if (spec.internalTrafficPolicy === 'Local')
    return { reason: 'internalTrafficPolicy Local decides first, and hints never filter local endpoints', remedy: 'keep one of the two' };
  const zoneless = nodes.filter(({ zone }) => zone === '').map(({ name }) => name);
  if (zoneless.length > 0)
    return {
      reason: `${listed(zoneless)} ${zoneless.length === 1 ? 'has' : 'have'} no zone, and so ${zoneless.length === 1 ? 'uses' : 'use'} all endpoints`,
      remedy: 'give each Node the label topology.kubernetes.io/zone',
    };
  const hinted = new Set(ready.flatMap(({ hintedZones }) => hintedZones));
  const bare = [...new Set(nodes.map(({ zone }) => zone))].filter((zone) => !hinted.has(zone)).sort();
  if (bare.length === 0) return undefined;
  return {
    reason: `zone ${listed(bare)} has no ready endpoint, so its nodes use those of all zones`,
    remedy: 'spread the Pods over the zones (topologySpreadConstraints), one in each at least',
  };
}

/** What keeps the controller from making hints in proportion to CPUs. */
function autoObstacle(ready: readonly EndpointFacts[], nodes: readonly ReturnType<typeof nodeShare>[]): string {
  const counted = nodes.filter(({ isCounted }) => isCounted);
  const lacking = counted.filter(({ zone, cpu }) => zone === '' || cpu === 0).map(({ name }) => name);
  if (lacking.length > 0) return `${listed(lacking)} ${lacking.length === 1 ? 'lacks' : 'lack'} a zone or its allocatable CPUs`;
  const zones = new Set(counted.map(({ zone }) => zone));
  if (zones.size < 2) return 'the nodes are all of one zone';
  if (ready.length < zones.size) return `${ready.length} endpoints are too few for ${zones.size} zones`;
  return 'the endpoints cannot be shared out to the zones by their CPUs';
}
