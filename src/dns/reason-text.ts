// Why there is no answer, in a sentence's words: for people who ask.
import type { Reason } from './reply.ts';

const TEXTS: Readonly<Record<Reason, string>> = {
  shape: 'no name of a cluster has this shape',
  namespace: 'there is no such namespace',
  service: 'there is no such Service in that namespace',
  endpoint: 'the Service has no ready endpoint of that name',
  port: 'the Service has no such port',
  notReady: 'the headless Service has no ready endpoint',
  emptyService: 'the Service has no ready endpoint, and such Services are hidden',
  noEndpoints: 'endpoints have no names here',
  aliasTarget: 'the name it is an alias of leads nowhere',
  belowAlias: 'nothing has a name below an ExternalName Service',
  zoneScope: 'only headless Services have zone-scoped names',
  podsDisabled: 'Pods have no names here',
  podAddress: 'this is no IP address with dashes',
  pod: 'no Pod of that namespace has this address',
  reverse: 'no Service and no endpoint has this address',
  noText: 'only dns-version has text',
  node: 'there are names below it, but it has no records itself',
  noSuchType: 'the name exists, without records of this type',
  outside: 'the name is none of the cluster: another resolver is asked',
  unsynced: 'not everything is known yet',
};

/** Reads on behind a colon: `NXDOMAIN: there is no such namespace`. */
export function reasonText(reason: Reason): string {
  return TEXTS[reason];
}
