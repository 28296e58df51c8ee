// The server over real sockets: pipelining, limits, garbage, and another resolver behind it.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { parseManifests } from '../../../src/api/manifests.ts';
import { createClusterDns } from '../../../src/dns/cluster-dns.ts';
import { type DnsServerOptions, serveDns } from '../../../src/dns/server/dns-server.ts';
import type { Listener } from '../../../src/dns/server/listener.ts';
import { createUpstream } from '../../../src/dns/server/upstream.ts';
import type { ClusterDnsOptions } from '../../../src/dns/settings.ts';
import { queryMessage, readReply } from '../messages.ts';
import { tcpReplies, udpClient, withLength } from './clients.ts';

const NAME = 'web.default.svc.cluster.local';
const ENDPOINT_COUNT = 60;
const endpoints = Array.from({ length: ENDPOINT_COUNT }, (_, index) => `{addresses: [10.244.1.${index + 2}]}`);
const MANIFEST = `
{apiVersion: v1, kind: Namespace, metadata: {name: default}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.96.0.20, ports: [{port: 80, name: http}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: many}, spec: {clusterIP: None, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: out}, spec: {type: ExternalName, externalName: host.example.com}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: many-1, labels: {kubernetes.io/service-name: many}}, addressType: IPv4, ports: [{port: 80}], endpoints: [${endpoints}]}
`;

const BIG_ZONE_SERVICES = 2000;

/** More than one message of 64 KB can hold. */
function bigZone(): string {
  const services = Array.from(
    { length: BIG_ZONE_SERVICES },
    (_, at) =>
      `{apiVersion: v1, kind: Service, metadata: {name: service-${at}}, spec: {clusterIP: 10.97.${at >> 8}.${at & 255}, ports: [{port: 80, name: http}]}}`,
  );
  return ['{apiVersion: v1, kind: Namespace, metadata: {name: default}}', ...services].join('\n---\n');
}

const running: Listener[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function start(options: Partial<DnsServerOptions> = {}, dnsOptions: ClusterDnsOptions = {}, manifest = MANIFEST): Promise<number> {
  const dns = await createClusterDns(dnsOptions);
  dns.apply(parseManifests(manifest));
  const onError = (error: unknown) => {
    throw error;
  };
  const server = await serveDns(dns, { address: '127.0.0.1', port: 0, onError, ...options });
  running.push(server);
  return server.port;
}

function addressesIn(reply: Uint8Array): string[] {
  return (readReply(reply).answers ?? []).flatMap((record) => (record.type === 'A' ? [record.data] : []));
}

describe('a DNS server', () => {
  test('answers over UDP and TCP at one port', async () => {
    const port = await start();
    const client = udpClient(port);
    const query = queryMessage({ name: NAME, type: 'A' });
    expect(addressesIn(await client.ask(query))).toEqual(['10.96.0.20']);
    client.close();
    const [reply] = await tcpReplies(port, [withLength(query)]);
    expect(addressesIn(reply ?? Buffer.alloc(0))).toEqual(['10.96.0.20']);
  });

  test('answers all of many queries sent at once on one connection, each under its id', async () => {
    const port = await start({ pipelinedMax: 3 });
    const ids = Array.from({ length: 500 }, (_, index) => index);
    const queries = ids.map((id) => withLength(queryMessage({ name: NAME, type: 'A', id })));
    const replies = await tcpReplies(port, [Buffer.concat(queries)]);
    expect(replies.map((reply) => readReply(reply).id).sort((a = 0, b = 0) => a - b)).toEqual(ids);
  });

  test('reads a message that arrives byte by byte', async () => {
    const port = await start();
    const framed = withLength(queryMessage({ name: NAME, type: 'A' }));
    const replies = await tcpReplies(
      port,
      [...framed].map((byte) => Uint8Array.of(byte)),
    );
    expect(replies.map(addressesIn)).toEqual([['10.96.0.20']]);
  });

  test('cuts a long answer over UDP, says so, and gives all of it over TCP', async () => {
    const port = await start();
    const query = queryMessage({ name: 'many.default.svc.cluster.local', type: 'A' });
    const client = udpClient(port);
    const cut = await client.ask(query);
    client.close();
    expect(cut.length).toBeLessThanOrEqual(512);
    expect(readReply(cut).flag_tc).toBe(true);
    const [whole] = await tcpReplies(port, [withLength(query)]);
    expect(addressesIn(whole ?? Buffer.alloc(0))).toHaveLength(ENDPOINT_COUNT);
  });

  test('gives a whole zone in as many messages as it takes, the question in the first one alone', async () => {
    const port = await start({}, { transfer: true }, bigZone());
    const query = queryMessage({ name: 'cluster.local', type: 'AXFR', id: 77, edns: { udpSize: 1232, do: false, version: 0 } });
    const replies = await tcpReplies(port, [withLength(query)]);
    const read = replies.map(readReply);
    expect(replies.length).toBeGreaterThan(1);
    expect(Math.max(...replies.map(({ length }) => length))).toBeLessThanOrEqual(0x4000 + 11);
    expect(new Set(read.map(({ id, rcode, flag_aa, flag_tc }) => `${id} ${rcode} ${flag_aa} ${flag_tc}`))).toEqual(
      new Set(['77 0 true false']),
    );
    expect(read.map(({ questions }) => questions?.length ?? 0)).toEqual([1, ...Array(replies.length - 1).fill(0)]);
    const records = read.flatMap(({ answers = [] }) => answers);
    expect([records.at(0)?.type, records.at(-1)?.type]).toEqual(['SOA', 'SOA']);
    const names = records.flatMap((record) => (record.type === 'A' ? [record.name] : []));
    expect(names.filter((name) => name.startsWith('service-'))).toHaveLength(BIG_ZONE_SERVICES);
  });

  test('answers a query behind a zone transfer on the same connection', async () => {
    const port = await start({}, { transfer: true }, bigZone());
    const queries = ['AXFR', 'SOA'].map((type, id) => withLength(queryMessage({ name: 'cluster.local', type, id })));
    const ids = (await tcpReplies(port, [Buffer.concat(queries)])).map((reply) => readReply(reply).id);
    expect(ids.filter((id) => id === 1)).toHaveLength(1);
    expect(ids.filter((id) => id === 0).length).toBeGreaterThan(1);
  });

  test('closes a connection on which no whole message comes', async () => {
    const port = await start({ idleTimeoutMs: 20 });
    const socket = connect(port, '127.0.0.1');
    socket.write(Uint8Array.of(0, 40, 1));
    await once(socket, 'close');
    expect(socket.bytesRead).toBe(0);
  });

  test('turns connections away beyond its limit, and takes new ones when others end', async () => {
    const port = await start({ connectionsMax: 1 });
    const first = connect(port, '127.0.0.1');
    await once(first, 'connect');
    const second = connect(port, '127.0.0.1');
    second.on('error', () => undefined);
    await once(second, 'close');
    first.end();
    await once(first, 'close');
    expect(await tcpReplies(port, [withLength(queryMessage({ name: NAME, type: 'A' }))])).toHaveLength(1);
  });

  test('goes on answering after 10,000 random and mutated messages', async () => {
    const port = await start();
    const [sender, client] = [udpClient(port), udpClient(port)];
    const seed = 20_251;
    const garbage = fc.sample(fc.oneof(fc.uint8Array({ maxLength: 600 }), mutatedQuery()), { numRuns: 10_000, seed });
    for (let at = 0; at < garbage.length; at += 20) {
      for (const message of garbage.slice(at, at + 20)) sender.send(message);
      // In order on the loopback: when this one is answered, those before it have been read.
      const reply = await client.ask(queryMessage({ name: NAME, type: 'A', id: at }));
      expect(addressesIn(reply), `seed ${seed}, messages ${at} and on`).toEqual(['10.96.0.20']);
    }
    sender.close();
    client.close();
    for (let at = 0; at < 1000; at += 50) await tcpReplies(port, garbage.slice(at, at + 50).map(withLength));
    await tcpReplies(port, garbage.slice(0, 50));
    expect(await tcpReplies(port, [withLength(queryMessage({ name: NAME, type: 'A' }))])).toHaveLength(1);
  });
});

/** A query with some bytes changed, and cut off or prolonged. */
function mutatedQuery(): fc.Arbitrary<Uint8Array> {
  const base = fc.constantFrom(
    queryMessage({ name: NAME, type: 'A' }),
    queryMessage({ name: '_http._tcp.web.default.svc.cluster.local', type: 'SRV', edns: { udpSize: 1232, do: true, version: 0 } }),
    queryMessage({ name: 'cluster.local', type: 'IXFR', ixfrSerial: 7 }),
  );
  const changes = fc.array(fc.tuple(fc.nat({ max: 80 }), fc.nat({ max: 255 })), { maxLength: 6 });
  return fc.tuple(base, changes, fc.nat({ max: 90 })).map(([message, edits, length]) => {
    const bytes = new Uint8Array(edits.length > 3 ? length : message.length);
    bytes.set(message.subarray(0, bytes.length));
    for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
    return bytes;
  });
}

describe('another resolver behind the server', () => {
  test('answers for what is not in the cluster, and is asked over TCP when its answer is cut', async () => {
    const upstreamPort = await start({}, { zones: ['example.com'], upstream: () => Promise.reject(new Error('no more')) });
    const port = await start({}, { upstream: createUpstream({ address: '127.0.0.1', port: upstreamPort }) });
    const client = udpClient(port);
    const reply = readReply(await client.ask(queryMessage({ name: 'gone.example.com', type: 'A', id: 77 })));
    expect(reply).toMatchObject({ id: 77, rcode: 3 });
    expect(reply.authorities).toMatchObject([{ type: 'SOA', name: 'example.com' }]);
    client.close();

    const manyPort = await start();
    const other = await createClusterDns({
      zones: ['elsewhere.local'],
      upstream: createUpstream({ address: '127.0.0.1', port: manyPort }),
    });
    const message = queryMessage({ name: 'many.default.svc.cluster.local', type: 'A' });
    expect(addressesIn(await other.query(message, { transport: 'tcp' }))).toHaveLength(ENDPOINT_COUNT);
  });

  test('that does not answer, or answers something else, is a failure', async () => {
    const liar = createSocket('udp4');
    liar.bind(0, '127.0.0.1');
    await once(liar, 'listening');
    const lie = queryMessage({ name: 'other.example.com', type: 'A' });
    liar.on('message', (query, { port }) => {
      const reply = Buffer.from(lie);
      query.copy(reply, 0, 0, 2);
      reply[2] = 0x80;
      liar.send(reply, port, '127.0.0.1');
    });
    const upstream = createUpstream({ address: '127.0.0.1', port: liar.address().port, timeoutMs: 50, attempts: 1 });
    const dns = await createClusterDns({ upstream });
    const reply = readReply(await dns.query(queryMessage({ name: 'host.example.com', type: 'A' })));
    expect(reply.rcode).toBe(2);
    liar.close();
  });
});
