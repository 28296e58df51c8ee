// The public face of cluster DNS: objects in, messages answered. Ties the catalog, the responder and the wire together.

import { givenObjects, givenRefs } from '../api/given-objects.ts';
import { isNamespaced } from '../api/kinds.ts';
import type { KubernetesObject, ObjectRef } from '../api/types.ts';
import { InvalidArgumentError } from '../errors.ts';
import { DnsCatalog } from './catalog.ts';
import { readName } from './domain-name.ts';
import { isDnsKind, readDnsObject } from './objects.ts';
import { CLASS_IN, isTransferType, RCODE, typeCode, typeName } from './record.ts';
import { bareReply, type Reply } from './reply.ts';
import { endsWalk, outsideStep, type Resolution, type ResolutionStep, stepOf } from './resolution.ts';
import { podResolver, searchPath } from './resolv-conf.ts';
import { createResponder, type QueryOrigin } from './responder.ts';
import { type ClusterDnsOptions, settleDnsOptions } from './settings.ts';
import { MESSAGE_SIZE_MAX, MessageWriter } from './wire/message-writer.ts';
import { type QueryMessage, readMessage } from './wire/query-message.ts';
import { sizeLimit, writeError, writeReply, writeTransfer } from './wire/reply-message.ts';
import { passOn, writeQuery } from './wire/upstream-message.ts';

/** Names of a cluster, answered as CoreDNS's `kubernetes` plugin answers them. */
export interface ClusterDns {
  /** Creates or updates objects; kinds without names are passed over. All of it or nothing. @throws InvalidObjectError */
  apply(objects: Iterable<KubernetesObject>): void;
  delete(refs: Iterable<ObjectRef>): void;
  /**
   * Answers one message. Empty: it must not be answered (a response, or too short to have an id). A zone transfer that takes more than
   * one message is answered with SERVFAIL: `replies` has all of it. Never rejects.
   */
  query(message: Uint8Array, from?: QueryOrigin): Promise<Uint8Array>;
  /** The same for a stream: every message of the answer, which is one but for a zone transfer, or none. Never rejects. */
  replies(message: Uint8Array, from?: QueryOrigin): Promise<readonly Uint8Array[]>;
  /**
   * Resolves a name. `from.pod`, `namespace/name`, walks the search list of that Pod; without it the name is taken as absolute.
   * @throws InvalidArgumentError for what is no name or type, and for a Pod that does not exist
   */
  resolve(name: string, type?: string, from?: { readonly pod?: string }): Promise<Resolution>;
}

const NOTHING = new Uint8Array();

/**
 * Cluster DNS over objects as an API server hands them out: Namespaces, Services, EndpointSlices, Pods.
 *
 * @example
 * const cluster = createCluster();
 * cluster.apply(parseManifests('{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}'));
 * const dns = await createClusterDns();
 * cluster.connect(dns);
 * await dns.resolve('web.default.svc.cluster.local'); // outcome ANSWER, one A record with the cluster IP
 */
export async function createClusterDns(options: ClusterDnsOptions = {}): Promise<ClusterDns> {
  const settings = settleDnsOptions(options);
  const catalog = new DnsCatalog(settings);
  const respond = createResponder(catalog, settings);
  const writer = new MessageWriter();

  async function resolveStep(name: string, type: number): Promise<ResolutionStep> {
    const message = writeQuery(writer, { id: 0, name, type });
    const query: QueryMessage = { id: 0, flags: 0, questionBytes: NOTHING, name, type, class: CLASS_IN };
    return stepOf(name, await respond(query, message, {}));
  }

  async function replies(message: Uint8Array, from: QueryOrigin = {}): Promise<readonly Uint8Array[]> {
    const read = readMessage(message);
    if (read.kind === 'ignored') return [];
    if (read.kind === 'error') return [writeError(writer, read)];
    const { query } = read;
    const limit = sizeLimit(query, from.transport);
    const response = await respond(query, message, from);
    if (response.kind === 'forwarded') {
      const tooLarge: Reply = { ...bareReply(RCODE.NOERROR), truncated: true };
      return [passOn(response.message, query.id, limit) ?? writeReply(writer, query, tooLarge, limit)];
    }
    const isTransfer = isTransferType(query.type) && from.transport !== 'udp';
    return isTransfer ? writeTransfer(writer, query, response.reply) : [writeReply(writer, query, response.reply, limit)];
  }

  return {
    apply(objects) {
      const read = givenObjects(objects).flatMap((object) => readDnsObject(object, settings) ?? []);
      for (const object of read) catalog.put(object);
    },

    delete(refs) {
      for (const { kind, namespace, name } of givenRefs(refs)) {
        if (isDnsKind(kind)) catalog.remove(kind, isNamespaced(kind) ? namespace || 'default' : '', name);
      }
    },

    async query(message, from = {}) {
      const messages = await replies(message, from);
      if (messages.length < 2) return messages[0] ?? NOTHING;
      const read = readMessage(message);
      return read.kind === 'query' ? writeReply(writer, read.query, bareReply(RCODE.SERVFAIL), MESSAGE_SIZE_MAX) : NOTHING;
    },

    replies,

    async resolve(name, type = 'A', { pod } = {}) {
      const code = typeCode(type);
      if (code === undefined) throw new InvalidArgumentError('type', type, 'is not a record type');
      if (readName(name) === undefined) throw new InvalidArgumentError('name', name, 'is not a domain name');
      const resolver = pod === undefined ? undefined : podResolver(requirePod(pod, catalog), settings.primaryZone, catalog);
      const steps: ResolutionStep[] = [];
      for (const candidate of resolver === undefined ? [name] : searchPath(name, resolver)) {
        const absolute = readName(candidate);
        // A resolver leaves out what is too long to be asked.
        if (absolute === undefined) continue;
        const step = resolver?.asksClusterDns === false ? outsideStep(absolute) : await resolveStep(absolute, code);
        steps.push(step);
        if (endsWalk(step)) break;
      }
      const last = steps.at(-1) ?? outsideStep(name);
      return { ...last, type: typeName(code), steps, ...(resolver === undefined ? {} : { resolvConf: resolver }) };
    },
  };
}

function requirePod(pod: string, catalog: DnsCatalog) {
  const [name = '', namespace = 'default'] = pod.split('/').reverse();
  const found = catalog.pod(namespace, name);
  if (found === undefined) throw new InvalidArgumentError('pod', pod, 'does not exist');
  return found;
}
