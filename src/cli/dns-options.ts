// The options of a cluster DNS that the `dns` verbs share.
import { type Command, Option } from 'commander';
import { POD_NAMES, type PodNames } from '../dns/pod-names.ts';
import type { ClusterDnsOptions } from '../dns/settings.ts';

export interface DnsOptions {
  readonly clusterDomain: string;
  readonly pods: PodNames;
  readonly ttl: number;
}

/** What `kubeadm init` writes into its Corefile. */
const KUBEADM = { clusterDomain: 'cluster.local', pods: 'insecure', ttl: 30 } as const;
const REVERSE_ZONES = ['in-addr.arpa', 'ip6.arpa'];

export function withDnsOptions(command: Command): Command {
  return command
    .option('--cluster-domain <domain>', 'the zone of the cluster, as the kubelet is told it', KUBEADM.clusterDomain)
    .addOption(new Option('--pods <mode>', 'names like 10-244-1-2.default.pod').choices([...POD_NAMES]).default(KUBEADM.pods))
    .option('--ttl <seconds>', 'time to live of answers, 0 to 3600', Number, KUBEADM.ttl);
}

/** As a Corefile with `kubernetes <domain> in-addr.arpa ip6.arpa` would have them; unknown addresses are another resolver's. */
export function clusterDnsOptions({ clusterDomain, pods, ttl }: DnsOptions): ClusterDnsOptions {
  return { zones: [clusterDomain, ...REVERSE_ZONES], pods, ttl };
}
