// The search list of a Pod, walked on the server: one query is answered as if the Pod had sent all of them.
import type { NameSource } from './catalog.ts';
import { isWithin } from './domain-name.ts';
import { RCODE, type ResourceRecord } from './record.ts';
import type { Reply } from './reply.ts';
import type { DnsSettings } from './settings.ts';

/** What a server says of itself rather than of the name: the walk goes on. */
const NO_ANSWER: readonly number[] = [RCODE.FORMERR, RCODE.SERVFAIL, RCODE.NOTIMP, RCODE.REFUSED, RCODE.NXDOMAIN];

/** The names to try for a client, the asked one first; one alone when nothing is to be completed. */
export function completions(name: string, zone: string, clientIP: string | undefined, source: NameSource, settings: DnsSettings): string[] {
  const pod = clientIP === undefined ? undefined : source.podAt(clientIP);
  if (settings.autopath === undefined || pod === undefined) return [name];
  const first = `${pod.namespace}.svc.${zone}`;
  if (!isWithin(first, name.toLowerCase()) || name.length === first.length) return [name];
  // With the dot behind the last label of its own.
  const base = name.slice(0, name.length - first.length);
  return [first, `svc.${zone}`, zone, ...settings.autopath, ''].map((domain) => `${base}${domain}`);
}

/** The first reply that is not NXDOMAIN, NODATA included, with a CNAME from the asked name; else the very first. */
export async function firstAnswer(names: readonly string[], asked: string, ask: (name: string) => Promise<Reply>): Promise<Reply> {
  let first: Reply | undefined;
  for (const name of names) {
    const reply = await ask(name);
    first ??= reply;
    if (!NO_ANSWER.includes(reply.rcode)) return { ...reply, answer: withAlias(reply.answer, asked) };
  }
  return first ?? ask(asked);
}

function withAlias(answer: readonly ResourceRecord[], asked: string): readonly ResourceRecord[] {
  const other = answer.find(({ name }) => name.toLowerCase() !== asked.toLowerCase());
  return other === undefined ? answer : [{ name: asked, type: 'CNAME', ttl: other.ttl, target: other.name }, ...answer];
}
