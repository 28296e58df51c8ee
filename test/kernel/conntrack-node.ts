// A namespace whose nf_conntrack sees raw packets and tells what it makes of them. Nothing answers but the cases themselves.
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { TransportProtocol } from '../../src/packet.ts';
import { type ConntrackCase, type Observation, type RecordedCase, SYSCTLS, TIMEOUT_STEP } from './conntrack-cases.ts';
import { CLIENT, Conversation, SERVER, SERVER_PORT } from './conntrack-packets.ts';
import type { Network } from './network.ts';
import { isInstalled, whyNoNetwork } from './variant.ts';

const FIRST_PORT = 20_000;
const SENDER = readFileSync(new URL('./conntrack-send.py', import.meta.url), 'utf8');

const WATCH = `table ip watch {
  set packets { type inet_proto . inet_service . inet_service . ct_state; flags dynamic; size 65535; }
  set replies { type inet_proto . inet_service . inet_service; flags dynamic; size 65535; }
  chain output { type filter hook output priority 0; policy accept;
    add @packets { meta l4proto . th sport . th dport . ct state }
    ct direction reply add @replies { meta l4proto . th sport . th dport }
  }
  chain input { type filter hook input priority 0; policy drop; }
}
`;

/** Makes the namespace ready, once. */
export function prepare(network: Network): void {
  network.run('node', 'ip', ['addr', 'add', `${CLIENT}/32`, 'dev', 'lo']);
  network.run('node', 'ip', ['addr', 'add', `${SERVER}/32`, 'dev', 'lo']);
  network.run('node', 'nft', ['-f', '-'], WATCH);
  network.setSysctls('node', SYSCTLS);
}

/** Runs the cases and tells what the kernel made of every packet: those that wait one by one, the others side by side. */
export async function recordAll(network: Network, cases: readonly ConntrackCase[]): Promise<RecordedCase[]> {
  const waits = ({ steps }: ConntrackCase): boolean => steps.some(({ waitMs }) => waitMs !== undefined);
  const recorded = await record(
    network,
    cases.filter((one) => !waits(one)),
  );
  for (const one of cases.filter(waits)) recorded.push(...(await record(network, [one])));
  return cases.map((one) => recorded.find(({ name }) => name === one.name) ?? { ...one, observed: [] });
}

/** A step of each case at a time. */
async function record(network: Network, cases: readonly ConntrackCase[]): Promise<RecordedCase[]> {
  network.run('node', 'conntrack', ['-F']);
  const running = cases.map((one, index) => ({ one, port: FIRST_PORT + index, talk: new Conversation(one.protocol, FIRST_PORT + index) }));
  const observed = cases.map((): Observation[] => []);
  for (let step = 0; step < Math.max(...cases.map(({ steps }) => steps.length)); step++) {
    const acting = running.filter(({ one }) => step < one.steps.length);
    // Those that wait, wait together.
    await wait(Math.max(0, ...acting.map(({ one }) => one.steps[step]?.waitMs ?? 0)));
    network.run('node', 'nft', ['flush', 'set', 'ip', 'watch', 'packets']);
    network.run('node', 'nft', ['flush', 'set', 'ip', 'watch', 'replies']);
    const packets = acting.map(({ one, talk }) => talk.packet(one.steps[step] ?? { from: 'client' }));
    network.run(
      'node',
      'python3',
      ['-c', SENDER],
      packets.map(({ destination, bytes }) => `${destination} ${bytes.toString('hex')}\n`).join(''),
    );
    const states = readSet(network, 'packets');
    const replies = readSet(network, 'replies');
    const entries = readEntries(network);
    for (const { one, port } of acting) {
      const isClient = one.steps[step]?.from === 'client';
      const key = `${one.protocol} ${isClient ? `${port} ${SERVER_PORT}` : `${SERVER_PORT} ${port}`}`;
      const packet = packetState(states.get(key), replies.has(key), `${one.name}, step ${step}`);
      observed[running.findIndex((other) => other.port === port)]?.push({ packet, entry: entries.get(`${one.protocol} ${port}`) ?? '' });
    }
  }
  return cases.map((one, index) => ({ ...one, observed: observed[index] ?? [] }));
}

function packetState(state: string | undefined, isReply: boolean, where: string): Observation['packet'] {
  if (state === 'new') return 'NEW';
  if (state === 'invalid') return 'INVALID';
  if (state === 'established') return isReply ? 'REPLY' : 'ESTABLISHED';
  throw new Error(`${where}: the packet was not seen, or is ${state}`);
}

/** protocol, source port, destination port → the rest. */
function readSet(network: Network, name: string): Map<string, string> {
  const { nftables } = JSON.parse(network.run('node', 'nft', ['-j', 'list', 'set', 'ip', 'watch', name])) as {
    nftables: { set?: { elem?: ({ concat: unknown[] } | { elem: { val: { concat: unknown[] } } })[] } }[];
  };
  const elements = nftables
    .flatMap(({ set }) => set?.elem ?? [])
    .map((element) => ('concat' in element ? element.concat : element.elem.val.concat));
  return new Map(
    elements.map(([protocol, source, destination, state]) => [`${PROTOCOLS.get(protocol)} ${source} ${destination}`, String(state ?? '')]),
  );
}

const PROTOCOLS: ReadonlyMap<unknown, TransportProtocol> = new Map<unknown, TransportProtocol>([
  ['tcp', 'TCP'],
  [6, 'TCP'],
  ['udp', 'UDP'],
  [17, 'UDP'],
  ['sctp', 'SCTP'],
  [132, 'SCTP'],
]);

/** protocol and the client's port → the connection. */
function readEntries(network: Network): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of network.run('node', 'conntrack', ['-L', '-f', 'ipv4']).split('\n')) {
    const words = line.trim().split(/\s+/);
    const protocol = PROTOCOLS.get(words[0]);
    if (protocol === undefined) continue;
    const field = (name: string): string => words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
    const began = field('src') === CLIENT ? 'client' : 'server';
    const port = began === 'client' ? field('sport') : field('dport');
    const state = protocol === 'UDP' ? [] : [words[3] ?? ''];
    const packets = words.filter((word) => word.startsWith('packets=')).map((word) => word.slice('packets='.length));
    const flags = words.filter((word) => word === '[UNREPLIED]' || word === '[ASSURED]');
    entries.set(`${protocol} ${port}`, [began, ...state, timeoutBehind(Number(words[2])), packets.join('+'), ...flags].join(' '));
  }
  return entries;
}

/** What conntrack prints a moment later is a little less than the timeout. */
function timeoutBehind(left: number): number {
  return Math.ceil(left / TIMEOUT_STEP) * TIMEOUT_STEP;
}

/** Why this machine cannot ask its kernel; undefined: it can. */
export function whyNotConntrack(): string | undefined {
  const missing = ['nft', 'python3'].filter((tool) => !isInstalled(tool));
  return whyNoNetwork() ?? (missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`);
}
