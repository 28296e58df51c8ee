// `svcplane dns serve`: the names of the manifests' cluster, answered over UDP and TCP until it is stopped.
import type { Command } from 'commander';
import { formatEndpoint } from '../address.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { createClusterDns } from '../dns/cluster-dns.ts';
import { serveDns } from '../dns/server/dns-server.ts';
import { createUpstream } from '../dns/server/upstream.ts';
import { SvcplaneError } from '../errors.ts';
import { addressAndPort } from './address-port.ts';
import { openCluster } from './cluster-input.ts';
import { clusterDnsOptions, type DnsOptions, withDnsOptions } from './dns-options.ts';
import { manifestFiles, readObjects } from './input.ts';
import { InputError, type Io, note, UsageError } from './io.ts';
import { type InputOptions, withInputOptions } from './options.ts';
import { watchFiles } from './watch-files.ts';

const DEFAULT_LISTEN = '127.0.0.1:5353';
const DEFAULT_PORT = 5353;
const DNS_PORT = 53;
const ANY_ADDRESS = ['0.0.0.0', '::'];

interface ServeOptions extends InputOptions, DnsOptions {
  readonly listen: string;
  readonly upstream?: string;
  readonly watch?: true;
  readonly transfer?: true;
}

interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export function addDnsServe(group: Command, io: Io): void {
  const command = group.command('serve').description('answer queries about the cluster over UDP and TCP, until it is stopped (Ctrl-C)');
  withDnsOptions(withInputOptions(command))
    .option('--listen <address>', 'address and port to answer at; port 0 takes any free one', DEFAULT_LISTEN)
    .option('--upstream <address>', 'ask this resolver (port 53 by default) about all other names')
    .option('--transfer', 'give whole zones to whoever asks for AXFR over TCP')
    .option('--watch', 'follow the files: what changes in them changes the answers')
    .addHelpText(
      'after',
      '\nExample:\n  svcplane dns serve -f examples/hostnames.yaml --watch\n  dig @127.0.0.1 -p 5353 hostnames.default.svc.cluster.local',
    )
    .action((options: ServeOptions) => serve(options, io));
}

async function serve(options: ServeOptions, io: Io): Promise<void> {
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
