// `svcplane dns serve`: the names of the manifests' cluster, answered over UDP and TCP until it is stopped.
import { formatEndpoint } from '../address.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { createClusterDns } from '../dns/cluster-dns.ts';
import { serveDns } from '../dns/server/dns-server.ts';
import { createUpstream } from '../dns/server/upstream.ts';
import { SvcplaneError } from '../errors.ts';
import { addressAndPort } from './address-port.ts';
import { openCluster } from './cluster-input.ts';
import { clusterDnsOptions, type DnsOptions } from './dns-options.ts';
import { manifestFiles, readObjects } from './input.ts';
import { InputError, type Io, note, UsageError } from './io.ts';
import type { InputOptions } from './options.ts';
import { watchFiles } from './watch-files.ts';

const DEFAULT_PORT = 5353;
const DNS_PORT = 53;
const ANY_ADDRESS = ['0.0.0.0', '::'];

export interface ServeOptions extends InputOptions, DnsOptions {
  readonly listen: string;
  readonly upstream?: string;
  readonly watch?: true;
  readonly transfer?: true;
}

interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export async function serve(options: ServeOptions, io: Io): Promise<void> {
  const listen = socketAddress('--listen', options.listen, DEFAULT_PORT);
  const upstream = options.upstream === undefined ? undefined : socketAddress('--upstream', options.upstream, DNS_PORT);
  if (upstream?.address === listen.address && upstream.port === listen.port)
    throw new UsageError(`--upstream ${options.upstream} is the server itself`);
  if (options.watch && options.filename?.includes('-')) throw new UsageError('--watch cannot follow standard input: give files with -f');
  const cluster = openCluster(readObjects(options, io), options, io);
  const dns = await createClusterDns({
    ...clusterDnsOptions(options),
    transfer: options.transfer ?? false,
    ...(ANY_ADDRESS.includes(listen.address) ? {} : { localIPs: [listen.address] }),
    // Addresses that are none of the cluster's are asked about elsewhere, when there is an elsewhere.
    ...(upstream === undefined ? {} : { upstream: createUpstream(upstream), fallthrough: ['in-addr.arpa', 'ip6.arpa'] }),
  });
  using _connection = cluster.connect(dns);
  const server = await serveDns(dns, { ...listen, onError: (error) => io.stderr(`warning: ${String(error)}\n`) }).catch(
    (error: unknown) => {
      throw cannotListen(options.listen, error);
    },
  );
  io.stdout(`answering for ${options.clusterDomain} on ${formatEndpoint(listen.address, server.port)}, UDP and TCP: ${size(cluster)}\n`);
  const watch =
    options.watch === undefined
      ? undefined
      : watchFiles(
          () => manifestFiles(options),
          () => reload(cluster, options, io),
        );
  await io.untilStopped();
  watch?.close();
  await server.close();
}

/** All of the new state, or the old one as it was. */
function reload(cluster: Cluster, options: ServeOptions, io: Io): void {
  try {
    cluster.apply(readObjects(options, io), { prune: true });
    // The files say what should be: whoever asks sees the cluster that has come to it.
    cluster.advance();
    note(io, `the files have changed: ${size(cluster)}`);
  } catch (error) {
    if (!(error instanceof SvcplaneError || error instanceof InputError)) throw error;
    io.stderr(`warning: ${error.message}; still answering as before\n`);
  }
}

function size(cluster: Cluster): string {
  const endpoints = cluster.objects('EndpointSlice').reduce((sum, { endpoints: list }) => sum + (Array.isArray(list) ? list.length : 0), 0);
  return `${counted(cluster.objects('Service').length, 'Service')}, ${counted(endpoints, 'endpoint')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function socketAddress(option: string, text: string, defaultPort: number): SocketAddress {
  return { port: defaultPort, ...addressAndPort(option, text) };
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already',
  EACCES: 'permission denied (ports below 1024 need a privilege)',
  EADDRNOTAVAIL: 'is no address of this machine',
};

function cannotListen(listen: string, error: unknown): unknown {
  const reason = error instanceof Error && 'code' in error ? REASONS[String(error.code)] : undefined;
  return reason === undefined ? error : new InputError(`--listen ${listen}: ${reason}`);
}
