// Manifests and changes → a cluster, or what is wrong with them and where.
import { ManifestError, parseManifests, SvcplaneError } from 'svcplane';
import { type Cluster, createCluster, validateObjects } from 'svcplane/cluster';
import { surroundingsOf } from '../../src/cluster/surroundings.ts';
import type { ClusterChange } from './playground-state.ts';

export interface World {
  readonly cluster: Cluster;
  readonly notes: readonly string[];
}

/** One thing that keeps manifests from becoming a cluster. */
export interface Problem {
  /** 1-based, when it is known. */
  readonly line?: number;
  readonly message: string;
}

const ORIGIN = 'manifests';

export function openWorld(text: string, changes: readonly ClusterChange[]): World | readonly Problem[] {
  try {
    const objects = parseManifests(text, ORIGIN);
    if (objects.length === 0) return [{ message: 'no objects yet: paste manifests, drop files here, or choose an example' }];
    const notes: string[] = [];
    const surroundings = surroundingsOf(objects, {}, (said) => notes.push(said));
    const problems = validateObjects(objects, surroundings);
    if (problems.length > 0) {
      return problems.map(({ kind, object, path, message, location }) => ({
        ...(location?.line === undefined ? {} : { line: location.line }),
        message: `${kind.toLowerCase()} ${object}: ${path} ${message}`,
      }));
    }
    const cluster = createCluster(surroundings);
    cluster.apply(objects);
    for (const change of changes) applyChange(cluster, change);
    return { cluster, notes };
  } catch (error) {
    if (!(error instanceof SvcplaneError)) throw error;
    return [problemOf(error)];
  }
}

function problemOf(error: SvcplaneError): Problem {
  const line = error instanceof ManifestError ? error.location.line : undefined;
  return { ...(line === undefined ? {} : { line }), message: error.message.replace(new RegExp(`^${ORIGIN}(:\\d+)*: `), '') };
}

/** Changes of a link may speak of Pods that other manifests do not have: those are passed over. */
export function applyChange(cluster: Cluster, change: ClusterChange): void {
  try {
    if (change.kind === 'ready') cluster.setReady(change.pod, change.ready);
    else if (change.kind === 'terminate') cluster.terminate(change.pod);
    else if (change.kind === 'scale') cluster.scale(change.workload, change.replicas);
    else if (change.kind === 'uncordon') cluster.uncordon(change.node);
    else if (change.kind === 'advance') cluster.advance(change.seconds);
    // A lesson may lose a bare Pod: it can be taken back.
    else cluster.drain(change.node, { force: true });
  } catch (error) {
    if (!(error instanceof SvcplaneError)) throw error;
  }
}
