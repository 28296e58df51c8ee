// The entry `svcplane/cluster`: manifests in, what a cluster would have made of them out.

export type { KubernetesObject, ObjectRef } from './api/types.ts';
export { type CheckResult, checkCluster, checkManifests } from './check/check.ts';
export { type Finding, type Level, RULES, type RuleId } from './check/finding.ts';
export { sarifLog } from './check/sarif.ts';
export {
  type ApplyOptions,
  type Cluster,
  type ClusterConsumer,
  type ClusterOptions,
  createCluster,
  validateObjects,
} from './cluster/cluster.ts';
export type { NodeSpec } from './cluster/nodes.ts';
export { validateService } from './cluster/validation.ts';
export { InvalidArgumentError, InvalidObjectError, type ObjectProblem, SvcplaneError } from './errors.ts';
