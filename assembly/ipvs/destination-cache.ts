// What lblc and lblcr remember by service and destination address, and when the kernel's periodic check throws it away.
// One chained hash table a namespace; its nodes are made by TypeScript before they are needed.
import { hashEnd, hashWord } from "../shared/hash.ts";
import { CACHE_ADDRESS, IPVS_SCHEDULER_LBLC } from "../shared/ipvs-layout.ts";
import { serverAt } from "./servers.ts";
import { CacheNode, Namespace, Server, Service } from "./structs.ts";
import { copyWords, equalWords } from "./tuples.ts";

/** COUNT_FOR_FULL_EXPIRATION times CHECK_EXPIRE_INTERVAL, in milliseconds: the full check of a cache. */
const FULL_CHECK: f64 = 30 * 60_000;

export function isNode(node: CacheNode): bool {
  return changetype<usize>(node) != 0;
}

export function nextNode(node: CacheNode): CacheNode {
  return changetype<CacheNode>(<usize>node.next);
}

function chainAt(namespace: Namespace, number: u32): usize {
  return <usize>namespace.cache + ((<usize>number) << 2);
}

function chainOf(namespace: Namespace, service: Service, address: usize): usize {
  let hash: u32 = hashWord(0, <u32>changetype<usize>(service));
  for (let at: usize = 0; at < service.addressSize; at += 4) hash = hashWord(hash, load<u32>(address + at));
  return chainAt(namespace, hashEnd(hash) & namespace.cacheMask);
}

/** Looking is using, but for foreseeing. A node that a full check has found unused for long enough is gone. */
export function cached(namespace: Namespace, service: Service, address: usize): CacheNode {
  let link = chainOf(namespace, service, address);
  while (true) {
    const node = changetype<CacheNode>(<usize>load<u32>(link));
    if (!isNode(node)) return node;
    if (
      node.service == <u32>changetype<usize>(service) &&
      equalWords(changetype<usize>(node) + CACHE_ADDRESS, address, service.addressSize)
    ) {
      const isGone = isForgotten(namespace, service, node);
      if (namespace.isForeseeing != 0) return isGone ? changetype<CacheNode>(0) : node;
      if (isGone) {
        dropNode(namespace, link);
        return changetype<CacheNode>(0);
      }
      node.lastUse = namespace.now;
      return node;
    }
    link = changetype<usize>(node) + offsetof<CacheNode>("next");
  }
}

/** True when the pool has the nodes that one choice may take. */
export function hasCacheRoom(namespace: Namespace): bool {
  return namespace.cacheFreeCount >= 2;
}

function isForgotten(namespace: Namespace, service: Service, node: CacheNode): bool {
  const expiration = service.scheduler == IPVS_SCHEDULER_LBLC ? namespace.lblcExpiration : namespace.lblcrExpiration;
  const sinceBound = namespace.now - service.boundAt;
  const checkedAt = service.boundAt + Math.floor(sinceBound / FULL_CHECK) * FULL_CHECK;
  return checkedAt >= node.lastUse + <f64>expiration * 1000;
}

/** A node for a destination that has none. */
export function remember(namespace: Namespace, service: Service, address: usize): CacheNode {
  const node = takeNode(namespace);
  link(chainOf(namespace, service, address), node);
  node.service = <u32>changetype<usize>(service);
  node.lastUse = namespace.now;
  node.lastChange = namespace.now;
  copyWords(changetype<usize>(node) + CACHE_ADDRESS, address, service.addressSize);
  return node;
}

/** A member of a set, or a node: nothing in it yet. */
export function takeNode(namespace: Namespace): CacheNode {
  const node = changetype<CacheNode>(<usize>namespace.cacheFree);
  namespace.cacheFree = node.next;
  namespace.cacheFreeCount--;
  node.next = 0;
  node.service = 0;
  node.server = 0;
  node.members = 0;
  return node;
}

export function releaseNode(namespace: Namespace, node: CacheNode): void {
  if (node.server != 0) changetype<Server>(<usize>node.server).references--;
  node.next = namespace.cacheFree;
  namespace.cacheFree = <u32>changetype<usize>(node);
  namespace.cacheFreeCount++;
}

/** Takes the node that a link leads to out of its chain, with its members. */
function dropNode(namespace: Namespace, link: usize): void {
  const node = changetype<CacheNode>(<usize>load<u32>(link));
  store<u32>(link, node.next);
  let member = changetype<CacheNode>(<usize>node.members);
  while (isNode(member)) {
    const next = nextNode(member);
    releaseNode(namespace, member);
    member = next;
  }
  releaseNode(namespace, node);
}

/** Moves all nodes to new, zeroed chains. */
export function rechain(namespace: Namespace, chains: usize, count: u32): void {
  let chain: usize = namespace.cache;
  const end: usize = chain == 0 ? 0 : chainAt(namespace, namespace.cacheMask + 1);
  namespace.cache = <u32>chains;
  namespace.cacheMask = count - 1;
  while (chain < end) {
    let node = changetype<CacheNode>(<usize>load<u32>(chain));
    while (isNode(node)) {
      const next = nextNode(node);
      const service = changetype<Service>(<usize>node.service);
      link(chainOf(namespace, service, changetype<usize>(node) + CACHE_ADDRESS), node);
      node = next;
    }
    chain += 4;
  }
}

function link(chain: usize, node: CacheNode): void {
  node.next = load<u32>(chain);
  store<u32>(chain, <u32>changetype<usize>(node));
}

/** All that a service remembers: it goes, or takes another scheduler. */
export function forgetDestinations(namespace: Namespace, service: Service): void {
  sweep(namespace, <u32>changetype<usize>(service));
}

/** All that full checks would have thrown away: before the pool grows. */
export function sweepCache(namespace: Namespace): void {
  sweep(namespace, 0);
}

/** `service`: all of its nodes; 0: the forgotten ones of all services. */
function sweep(namespace: Namespace, service: u32): void {
  if (namespace.cache == 0) return;
  for (let number: u32 = 0; number <= namespace.cacheMask; number++) {
    let link = chainAt(namespace, number);
    while (load<u32>(link) != 0) {
      const node = changetype<CacheNode>(<usize>load<u32>(link));
      const goes = service != 0 ? node.service == service : isForgotten(namespace, changetype<Service>(<usize>node.service), node);
      if (goes) dropNode(namespace, link);
      else link = changetype<usize>(node) + offsetof<CacheNode>("next");
    }
  }
}

/** is_overloaded: more active connections than weight, while some server of the service is less than half busy. */
export function isCrowded(server: Server, service: Service): bool {
  if (server.active <= server.weight) return false;
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const other = serverAt(service, number);
    if (<u64>other.active * 2 < <u64>other.weight) return true;
  }
  return false;
}
