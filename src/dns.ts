// The entry `svcplane/dns`: the names of a cluster, as a library. The server over UDP and TCP is the command line's.
export type { KubernetesObject, ObjectRef } from './api/types.ts';
export { type ClusterDns, createClusterDns } from './dns/cluster-dns.ts';
export type { PodNames } from './dns/pod-names.ts';
export { reasonText } from './dns/reason-text.ts';
export type { Reason } from './dns/reply.ts';
export type { DnsRecord, Resolution, ResolutionOutcome, ResolutionStep } from './dns/resolution.ts';
export { type PodResolver, type ResolvConf, searchPath } from './dns/resolv-conf.ts';
export type { QueryOrigin } from './dns/responder.ts';
export { type Candidate, type SearchWalk, searchWalk, type TrailingDot, trailingDot } from './dns/search-walk.ts';
export type { ClusterDnsOptions, Upstream } from './dns/settings.ts';
export { InvalidArgumentError, InvalidObjectError, SvcplaneError, UnsupportedError } from './errors.ts';
