// Changes that must change nothing: cases of the data told another way, whatever it is that they expect.
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/address.ts';
import { rcodeName } from '../../src/dns/record.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { queryMessage, readReply } from '../dns/messages.ts';
import { loadConformance } from './data.ts';
import type { DnsCase, DnsData } from './dns-data.ts';
import { dnsOf, recordsIn } from './dns-run.ts';
import { FLOWS, type FlowCase, flowDataplane, packetOf } from './flow-run.ts';
import { runScenario, SCENARIOS, type Scenario } from './ipvs-run.ts';
import { type Consumer, inManySlices, type Pick, TELLINGS, type Telling } from './retold.ts';
import { holds } from './retold-runs.ts';

const MODES: readonly ProxyMode[] = ['iptables', 'nftables', 'ipvs'];

const plainly: Telling = (consumer, objects) => consumer.apply(objects);

describe('packet flows', () => {
  /** What becomes of every packet of a case, in words. */
  function ends(flow: FlowCase, mode: ProxyMode, telling: Telling, pick: Pick): string[] {
    using dataplane = flowDataplane(flow, mode, 'js', 7);
    return flow.steps.flatMap(({ apply = [], delete: gone = [], packets = [] }) => {
      telling(dataplane as unknown as Consumer, apply, pick);
      dataplane.delete(gone);
      return packets.map((packet) => {
        const { outcomes } = dataplane.explain(packetOf(packet, 40000));
        return `${packet.name}: ${outcomes.map(({ path: _, ...outcome }) => JSON.stringify(outcome)).sort()}`;
      });
    });
  }

  test.each(Object.entries(TELLINGS))('come to the same %s', (_words, telling) =>
    holds((pick) => {
      const flow = FLOWS[pick(FLOWS.length)] as FlowCase;
      const mode = MODES[pick(MODES.length)] as ProxyMode;
      expect(ends(flow, mode, telling, pick), `${mode} ${flow.id}`).toEqual(ends(flow, mode, plainly, pick));
    }),
  );

  test('come to the same with every endpoint in slices of its own', () => {
    const unchanged = FLOWS.filter(({ steps }) => steps.length === 1);
    return holds((pick) => {
      const flow = unchanged[pick(unchanged.length)] as FlowCase;
      const mode = MODES[pick(MODES.length)] as ProxyMode;
      const split: Telling = (consumer, objects) => consumer.apply(inManySlices(objects, pick));
      expect(ends(flow, mode, split, pick), `${mode} ${flow.id}`).toEqual(ends(flow, mode, plainly, pick));
    });
  });
});

describe('DNS answers', () => {
  const { fixtures, ...data } = loadConformance<DnsData>('dns-coredns.json');
  const cases = data.cases.filter(({ fixture, tags = [] }) => fixtures[fixture]?.config.external === undefined && !tags.includes('size'));

  async function answer(given: DnsCase, telling: Telling, pick: Pick, name = given.query.name): Promise<unknown> {
    const dns = await dnsOf({ fixtures, ...data }, given.fixture, given.upstream, (consumer, objects) => telling(consumer, objects, pick));
    const { clientIP = '10.240.0.1' } = given.query;
    const reply = readReply(await dns.query(queryMessage({ ...given.query, name }), { clientIP }));
    const sections = [reply.answers, reply.authorities, reply.additionals].map((section) =>
      recordsIn(section)
        .map((record) => JSON.stringify(record).toLowerCase())
        .sort(),
    );
    return { rcode: rcodeName(reply.rcode), sections };
  }

  test.each(Object.entries(TELLINGS).filter(([words]) => !words.includes('proxy')))('come to the same %s', (_words, telling) =>
    holds(async (pick) => {
      const given = cases[pick(cases.length)] as DnsCase;
      expect(await answer(given, telling, pick), given.id).toEqual(await answer(given, plainly, pick));
    }),
  );

  test('come to the same in whatever case a name is asked', () => {
    // The zone's own server is only known in lower case, an oddity; the resolver of the data knows its names as they are written there.
    const isAnyCase = ({ query, upstream }: DnsCase) => query.type !== 'NS' && !query.name.startsWith('ns.dns.') && upstream === undefined;
    const named = cases.filter(isAnyCase);
    return holds(async (pick) => {
      const given = named[pick(named.length)] as DnsCase;
      const name = [...given.query.name].map((letter) => (pick(2) === 0 ? letter.toUpperCase() : letter.toLowerCase())).join('');
      expect(await answer(given, plainly, pick, name), given.id).toEqual(await answer(given, plainly, pick));
    });
  });
});

describe('what the kernel did', () => {
  // ::a.b.c.d folds to the number that a.b.c.d is, so that sh, dh and mh find the same servers.
  const inIPv6 = (text: string): string =>
    text.replace(/\b(\d+)\.(\d+)\.(\d+)\.(\d+)(:\d+)?/g, (_, a, b, c, d, port = '') => {
      const [high, low] = [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)];
      const address = parseAddress(`::${high.toString(16)}:${low.toString(16)}`)?.text ?? '';
      return port === '' ? address : `[${address}]${port}`;
    });
  const prefixLength = (mask: string): number => 96 + mask.split('.').reduce((bits, each) => bits + Math.clz32(~(Number(each) << 24)), 0);
  const translated = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string') return key === 'netmask' ? prefixLength(value) : key === 'description' ? value : inIPv6(value);
    if (Array.isArray(value)) return value.map((item) => translated(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, translated(inner, name)]));
  };
  // The template of a firewall mark has the mark in place of an address, which is another one in IPv6.
  const translatable = SCENARIOS.filter(({ id, virtual }) => virtual.address.includes('.') && id !== 'persist-fwmark');

  test.each(['wasm', 'js'] as const)('it does in IPv6, at any time, watched or not, on the %s engine', (engine) =>
    holds(
      (pick) => {
        const scenario = translated(translatable[pick(translatable.length)]) as Scenario;
        runScenario(scenario, engine, { startMs: pick(2 ** 31), isWatched: pick(2) === 0 });
      },
      { numRuns: 12 },
    ),
  );
});
