// A cluster DNS as a fixture of the data describes it, and the records of its replies.
import { type Answer, encode } from 'dns-packet';
import type { KubernetesObject } from '../../src/api/types.ts';
import { type ClusterDns, createClusterDns } from '../../src/dns/cluster-dns.ts';
import { rcodeNumber, readReply } from '../dns/messages.ts';
import type { DnsData, RecordData, UpstreamData } from './dns-data.ts';
import { recordData } from './dns-records.ts';

/** @param tell how it learns of the objects. Default: all at once. */
export async function dnsOf(
  data: DnsData,
  fixture: string,
  upstream: readonly UpstreamData[] = [],
  tell = (dns: ClusterDns, objects: readonly KubernetesObject[]) => dns.apply(objects),
): Promise<ClusterDns> {
  const found = data.fixtures[fixture];
  if (found === undefined) throw new Error(`no fixture ${fixture}`);
  const dns = await createClusterDns({ ...found.config, upstream: async (message) => upstreamReply(upstream, message) });
  tell(dns, found.objects);
  return dns;
}

/** What the resolver behind this server answers: what the case lists, and REFUSED for the rest. */
function upstreamReply(listed: readonly UpstreamData[], message: Uint8Array): Uint8Array {
  const { id = 0, questions = [] } = readReply(message);
  const [question] = questions;
  const found = listed.find(({ name, type }) => name === `${question?.name}.` && type === question?.type);
  const flags = rcodeNumber(found?.rcode ?? 'REFUSED') | (found?.truncated ? 0x200 : 0);
  // The data's record types are those of dns-packet whose data is one text.
  const answers = (found?.answer ?? []).map(
    ({ name, type, ttl, data }) => ({ name, type, ttl, data: data.address ?? data.target }) as unknown as Answer,
  );
  return encode({ type: 'response', id, flags, questions, answers });
}

export function recordsIn(section: readonly Answer[] | undefined): RecordData[] {
  return (section ?? []).filter(({ type }) => type !== 'OPT').map(recordData);
}
