// What the entries svcplane, svcplane/js and svcplane/external share: all but the making of a dataplane. Re-exports only.
export type { Family } from './address.ts';
export { parseConfig } from './api/config.ts';
export { parseManifests } from './api/manifests.ts';
export { locationOf } from './api/places.ts';
export type { KubeProxyConfiguration, KubernetesObject, ObjectMeta, ObjectRef } from './api/types.ts';
export type {
  Connection,
  Counters,
  Dataplane,
  DataplaneOptions,
  Explanation,
  FrameOptions,
  FrameResult,
  FrameRing,
  FrameRingOptions,
  Outcome,
  PacketBatch,
  Rendered,
  ServicePortView,
  Step,
  Trace,
} from './dataplane-types.ts';
export { FRAME_LAYOUT, type FrameLayout } from './engine/frame-layout.ts';
export type { FrameCounters, FrameKind, ServicePortTraffic } from './engine/frame-ring.ts';
export { PACKET_LAYOUT, RECORD_CODES, VERDICT_LAYOUT } from './engine/layouts.ts';
export {
  CapacityError,
  CoreError,
  DisposedError,
  formatLocation,
  InvalidArgumentError,
  InvalidObjectError,
  ManifestError,
  type ObjectProblem,
  RulesError,
  type SourceLocation,
  SvcplaneError,
  UnsupportedError,
} from './errors.ts';
export type { Action, Backend, ConnectionState, Packet, ProxyMode, SctpChunk, Translation, TransportProtocol, Verdict } from './packet.ts';
