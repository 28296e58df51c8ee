// The network of a run: three namespaces and the two cables between them. Nothing of it exists in the host's own namespace;
// all of it is gone when the run ends, by signal too.
//
//   pods (any address of the pod CIDRs) ──eth0────pod0── node (routes, NAT under test) ──out0────eth0── outside (any address at all)
import { execFileSync, spawnSync } from 'node:child_process';
import { type Family, parseAddress } from '../../src/address.ts';
import { PLACES, type Place } from './wire.ts';

/** Addresses that MASQUERADE writes: none of them belongs to a Service, a client or a Node object, so that it is always seen. */
const CABLES = {
  pod0: { other: 'pods', mac: '02:00:00:00:01', IPv4: '10.255.255.254', IPv6: 'fd00:10:ffff::fe', gateway: '169.254.1' },
  out0: { other: 'outside', mac: '02:00:00:00:02', IPv4: '192.168.255.254', IPv6: '2001:db8:ffff:ffff::fe', gateway: '169.254.2' },
} as const;

export const MASQUERADE_ADDRESSES: readonly string[] = Object.values(CABLES).flatMap(({ IPv4, IPv6 }) => [IPv4, IPv6]);

/** What stands behind pod0: both families' pod CIDRs of every case. */
const POD_PREFIXES: Readonly<Record<Family, string>> = { IPv4: '10.0.0.0/8', IPv6: 'fd00:10::/64' };

const NAME_PREFIX = 'svcplane-';

export class Network {
  readonly #prefix: string;
  readonly #onSignal: () => void;
  #nodeAddresses: readonly string[] = [];

  /** @param name tells networks of one process apart. Throws when the kernel or its permissions do not allow one. */
  constructor(name: string) {
    removeAbandoned();
    this.#prefix = `${NAME_PREFIX}${process.pid}-${name}-`;
    this.#onSignal = () => {
      this[Symbol.dispose]();
      process.exit(1);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, this.#onSignal);
    try {
      for (const place of PLACES) run('ip', ['netns', 'add', this.namespace(place)]);
      this.#prepareNode();
      for (const [device, cable] of Object.entries(CABLES)) this.#plug(device, cable);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  namespace(place: Place): string {
    return `${this.#prefix}${place}`;
  }

  /** Runs a tool inside a namespace; gives what it printed. @throws Error with what it complained about. */
  run(place: Place, command: string, args: readonly string[], input = ''): string {
    return run('ip', ['netns', 'exec', this.namespace(place), command, ...args], input);
  }

  /** `net.ipv4.ip_forward` = 1, and so on. */
  setSysctls(place: Place, settings: Readonly<Record<string, string | number>>): void {
    const lines = Object.entries(settings).map(([name, value]) => `echo '${value}' > /proc/sys/${name.replaceAll('.', '/')}`);
    this.run(place, 'sh', ['-e'], `${lines.join('\n')}\n`);
  }

  /** The addresses of the node beside those that MASQUERADE writes. */
  setNodeAddresses(addresses: readonly string[]): void {
    const change = (verb: string, address: string): string => `addr ${verb} ${address}/${isIPv6(address) ? '128 nodad' : '32'} dev out0`;
    const gone = this.#nodeAddresses.filter((address) => !addresses.includes(address)).map((address) => change('del', address));
    const come = addresses.filter((address) => !this.#nodeAddresses.includes(address)).map((address) => change('add', address));
    this.#batch('node', [...gone, ...come]);
    this.#nodeAddresses = addresses;
  }

  /** Which namespace an address lives in. */
  placeOf(address: string): Place {
    const text = parseAddress(address)?.text ?? address;
    if (text === '::1' || text.startsWith('127.') || this.#nodeAddresses.some((own) => parseAddress(own)?.text === text)) return 'node';
    return text.startsWith('10.') || /^fd00:10::[^:]*$/.test(text) ? 'pods' : 'outside';
  }

  [Symbol.dispose](): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#onSignal);
    for (const place of PLACES) spawnSync('ip', ['netns', 'del', this.namespace(place)], { stdio: 'ignore' });
  }

  /** A router that believes every source, and answers each refused packet: limits on ICMP would look like DROP. */
  #prepareNode(): void {
    this.#batch('node', ['link set lo up']);
    this.setSysctls('node', {
      ...quietInterfaces,
      'net.ipv4.ip_forward': 1,
      'net.ipv6.conf.all.forwarding': 1,
      'net.ipv4.conf.all.send_redirects': 0,
      'net.ipv4.conf.default.send_redirects': 0,
      'net.ipv4.icmp_ratelimit': 0,
      'net.ipv4.icmp_ratemask': 0,
      'net.ipv6.icmp.ratelimit': 0,
      'net.ipv6.icmp.ratemask': 255,
    });
  }

  /** One cable from the node, and at its other end a namespace to which every address behind the cable is its own. */
  #plug(device: string, cable: (typeof CABLES)[keyof typeof CABLES]): void {
    const { other, mac, gateway } = cable;
    const far = this.namespace(other);
    run('ip', ['-n', this.namespace('node'), 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far]);
    const routes = other === 'outside' ? { IPv4: '0.0.0.0/0', IPv6: '::/0' } : POD_PREFIXES;
    this.setSysctls(other, {
      ...quietInterfaces,
      'net.ipv4.conf.all.accept_local': 1,
      'net.ipv4.conf.default.accept_local': 1,
      'net.ipv6.ip_nonlocal_bind': 1,
    });
    // Routes of IPv6 want both ends up.
    this.#batch('node', [`link set ${device} address ${mac}:01 up`]);
    this.#batch(other, ['link set lo up', `link set eth0 address ${mac}:02 up`]);
    // Neighbours are written down: nobody resolves addresses, nothing waits for duplicate address detection.
    this.#batch('node', [
      `addr add ${cable.IPv4}/32 dev ${device}`,
      `addr add ${cable.IPv6}/128 dev ${device} nodad`,
      `neigh replace ${gateway}.2 lladdr ${mac}:02 dev ${device} nud permanent`,
      `neigh replace fe80::2 lladdr ${mac}:02 dev ${device} nud permanent`,
      `route add ${routes.IPv4} via ${gateway}.2 dev ${device} onlink`,
      `-6 route add ${routes.IPv6} via fe80::2 dev ${device}`,
    ]);
    // What starts here leaves through the node, even to addresses that are local here: this rule stands before the local table.
    const leave = (family: string): string[] => [
      `${family} rule add pref 10 iif lo lookup 100`,
      `${family} rule add pref 20 lookup local`,
      `${family} rule del pref 0`,
    ];
    this.#batch(other, [
      `neigh replace ${gateway}.1 lladdr ${mac}:01 dev eth0 nud permanent`,
      `neigh replace fe80::1 lladdr ${mac}:01 dev eth0 nud permanent`,
      // In this order: once every address is local, none is good enough for a gateway.
      `route add default via ${gateway}.1 dev eth0 onlink table 100`,
      '-6 route add default via fe80::1 dev eth0 table 100',
      `route add local ${routes.IPv4} dev lo table local`,
      `-6 route add local ${routes.IPv6} dev lo table local`,
      ...leave('-4'),
      ...leave('-6'),
    ]);
  }

  /** `ip -batch` takes no option inside a line: each line is a command of its own family. */
  #batch(place: Place, lines: readonly string[]): void {
    for (const family of ['', '-4', '-6']) {
      const own = lines.filter((line) => (line.startsWith('-') ? line.slice(0, 2) : '') === family);
      if (own.length === 0) continue;
      const input = `${own.map((line) => line.slice(family.length).trim()).join('\n')}\n`;
      run('ip', [...(family === '' ? [] : [family]), '-n', this.namespace(place), '-batch', '-'], input);
    }
  }
}

const quietInterfaces = {
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.default.rp_filter': 0,
  'net.ipv6.conf.all.accept_dad': 0,
  'net.ipv6.conf.default.accept_dad': 0,
  'net.ipv6.conf.default.accept_ra': 0,
  'net.ipv6.conf.default.router_solicitations': 0,
};

function run(command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr.trim()}`);
  return stdout;
}

/** Namespaces of runs that were killed before they could clean up: their process does not exist any more. */
function removeAbandoned(): void {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  for (const name of names) {
    const pid = new RegExp(`^${NAME_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isIPv6(address: string): boolean {
  return address.includes(':');
}
