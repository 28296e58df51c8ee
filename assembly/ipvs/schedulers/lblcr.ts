// ip_vs_lblcr, the same with replication: a destination has a set of servers that grows when they are crowded, and shrinks with time.
import { cached, isCrowded, isNode, nextNode, releaseNode, remember, takeNode } from "../destination-cache.ts";
import { isAvailable, isServer, isUsable, noServer } from "../servers.ts";
import { CacheNode, Namespace, Server, Service } from "../structs.ts";
import { isLessLoaded, leastLoaded } from "./load.ts";

export function pickLblcr(namespace: Namespace, service: Service, packet: usize): Server {
  const destination = packet + service.addressSize;
  let set = cached(namespace, service, destination);
  if (isNode(set)) {
    const member = leastLoadedMember(set);
    if (namespace.isForeseeing == 0) shrink(namespace, set);
    if (isServer(member) && !isCrowded(member, service)) return member;
  }
  const server = leastLoaded(service);
  if (!isServer(server) || namespace.isForeseeing != 0) return server;
  if (!isNode(set)) set = remember(namespace, service, destination);
  include(namespace, set, server);
  return server;
}

function firstMember(set: CacheNode): CacheNode {
  return changetype<CacheNode>(<usize>set.members);
}

function serverOf(member: CacheNode): Server {
  return changetype<Server>(<usize>member.server);
}

/** Newest member first; only those in the service, and none that is over. */
function leastLoadedMember(set: CacheNode): Server {
  let best = noServer();
  for (let member = firstMember(set); isNode(member); member = nextNode(member)) {
    const server = serverOf(member);
    if (isAvailable(server) && isUsable(server) && (!isServer(best) || isLessLoaded(server, best))) best = server;
  }
  return best;
}

/** Puts a server in front, unless it is a member already. */
function include(namespace: Namespace, set: CacheNode, server: Server): void {
  const reference = <u32>changetype<usize>(server);
  for (let member = firstMember(set); isNode(member); member = nextNode(member)) if (member.server == reference) return;
  const member = takeNode(namespace);
  member.server = reference;
  server.references++;
  member.next = set.members;
  set.members = <u32>changetype<usize>(member);
  set.lastChange = namespace.now;
}

/** One member goes when the set has not changed for long; the choice of this connection was made before. */
function shrink(namespace: Namespace, set: CacheNode): void {
  const first = firstMember(set);
  if (!isNode(first) || !isNode(nextNode(first))) return;
  if (namespace.now <= set.lastChange + <f64>namespace.lblcrExpiration * 1000) return;
  const leaving = mostLoaded(set);
  if (!isNode(leaving)) return;
  let link = changetype<usize>(set) + offsetof<CacheNode>("members");
  while (load<u32>(link) != <u32>changetype<usize>(leaving)) link = <usize>load<u32>(link) + offsetof<CacheNode>("next");
  store<u32>(link, leaving.next);
  set.lastChange = namespace.now;
  releaseNode(namespace, leaving);
}

/** The highest load for its weight among the members of weight above 0, removed ones too; the first of several. */
function mostLoaded(set: CacheNode): CacheNode {
  let most = changetype<CacheNode>(0);
  for (let member = firstMember(set); isNode(member); member = nextNode(member)) {
    const server = serverOf(member);
    if (server.weight != 0 && (!isNode(most) || isLessLoaded(serverOf(most), server))) most = member;
  }
  return most;
}
