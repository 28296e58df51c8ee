// Cluster DNS against its data, every case through the wire format: a query is encoded, answered as a message, and decoded.
import { describe, expect, test } from 'vitest';
import { readNameFields } from '../../src/dns/name-grammar.ts';
import { rcodeName } from '../../src/dns/record.ts';
import { searchPath } from '../../src/dns/resolv-conf.ts';
import { queryMessage, readReply } from '../dns/messages.ts';
import { loadConformance } from './data.ts';
import type { DnsCase, DnsData, RecordData, SearchPathCase } from './dns-data.ts';
import { disputed, missingFeatures } from './dns-lists.ts';
import { expectRecords, expectSubset } from './dns-records.ts';
import { dnsOf, recordsIn } from './dns-run.ts';

const DEFAULT_CLIENT = '10.240.0.1';

describe.each(['dns-coredns.json', 'dns-spec.json'])('%s', (file) => {
  const data = loadConformance<DnsData>(file);

  test.each(data.cases)('$id: $title', async (dnsCase) => {
    const isListed = dnsCase.id in disputed || (dnsCase.tags ?? []).some((tag) => tag in missingFeatures);
    if (isListed) await expect(check(data, dnsCase), `${dnsCase.id} is listed, and passes`).rejects.toThrow();
    else await check(data, dnsCase);
  });

  for (const { id, name, zone, multicluster, zonal, expect: expected } of data.parseCases ?? []) {
    test(`${id}: ${name}`, () => {
      const fields = readNameFields(name, zone.split('.').length - 1, { isMulticluster: multicluster, zonal });
      if (expected.error === undefined) expect(fields).toEqual(expected.fields);
      else expect(fields).toBeUndefined();
    });
  }

  for (const searchCase of data.searchPathCases ?? []) {
    test(`${searchCase.id}: ${searchCase.title}`, () => checkSearchPath(data, searchCase));
  }
});

async function check(data: DnsData, { fixture, query, expect: expected, upstream, tags = [], orderMatters }: DnsCase): Promise<void> {
  const dns = await dnsOf(data, fixture, upstream);
  const { clientIP = DEFAULT_CLIENT, transport } = query;
  const message = await dns.query(queryMessage(query), { clientIP, ...(transport === undefined ? {} : { transport }) });
  const reply = readReply(message);
  const isCased = tags.includes('case');
  const answer = recordsIn(reply.answers);
  expect(rcodeName(reply.rcode)).toBe(expected.rcode);
  expect({ qr: reply.flag_qr, rd: reply.flag_rd, ra: reply.flag_ra }).toEqual({ qr: true, rd: false, ra: false });
  if (expected.flags !== undefined) expect({ aa: reply.flag_aa, tc: reply.flag_tc }).toEqual(expected.flags);
  if (expected.truncation !== undefined) {
    expect(message.length).toBeLessThanOrEqual(expected.truncation.maxBytes);
    expectSubset(answer, expected.answer ?? [], isCased);
  } else if (expected.answer !== undefined) {
    expectRecords(expected.duplicatesAllowed ? unique(answer) : answer, expected.answer, { isOrdered: orderMatters, isCased });
  }
  const { framing, authority, additional, edns } = expected;
  if (framing !== undefined) expect([answer.at(0)?.type, answer.at(-1)?.type]).toEqual([framing.first, framing.last]);
  if (authority !== undefined) expectRecords(recordsIn(reply.authorities), authority, { isOrdered: false, isCased });
  if (additional !== undefined && expected.additionalMode === 'subset') expectSubset(recordsIn(reply.additionals), additional, isCased);
  else if (additional !== undefined) expectRecords(recordsIn(reply.additionals), additional, { isOrdered: false, isCased });
  const opt = reply.additionals?.find(({ type }) => type === 'OPT');
  if (edns === undefined) expect(opt).toBeUndefined();
  else expect(opt).toMatchObject({ udpPayloadSize: edns.udpSize, flag_do: edns.do, ednsVersion: edns.version });
}

/** The walk as a stub resolver makes it, each query as a message. */
async function checkSearchPath(data: DnsData, { fixture, resolvConf, lookup, steps, result }: SearchPathCase): Promise<void> {
  const dns = await dnsOf(data, fixture);
  const search = resolvConf.search.map((domain) => `${domain}.`);
  const walked: { name: string; outcome: string }[] = [];
  let answers: readonly RecordData[] = [];
  for (const name of searchPath(lookup.name, { search, ndots: resolvConf.ndots })) {
    const reply = readReply(await dns.query(queryMessage({ name, type: lookup.type })));
    answers = recordsIn(reply.answers);
    const rcode = rcodeName(reply.rcode);
    const outcome = rcode === 'REFUSED' ? 'OUTSIDE' : rcode === 'NOERROR' ? (answers.length > 0 ? 'ANSWER' : 'NODATA') : rcode;
    walked.push({ name, outcome });
    if (outcome === 'ANSWER' || outcome === 'NODATA') break;
  }
  expect(walked).toEqual(steps);
  const texts = answers.map(({ data: fields }) => fields.address ?? `${fields.port} ${fields.target}`);
  expect(texts.toSorted()).toEqual((result ?? []).toSorted());
}

function unique(records: readonly RecordData[]): RecordData[] {
  return [...new Map(records.map((record) => [JSON.stringify(record), record])).values()];
}
