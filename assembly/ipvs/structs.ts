// Named views of the records of IPVS, proven to agree with ipvs-layout.ts while compiling. A view is changetype<T>(address).
import {
  CACHE_ADDRESS,
  CACHE_LAST_CHANGE,
  CACHE_LAST_USE,
  CACHE_MEMBERS,
  CACHE_NEXT,
  CACHE_SERVER,
  CACHE_SERVICE,
  CONN_CLASS,
  CONN_CLIENT_TUPLE,
  CONN_CONNTRACK_END,
  CONN_CONNTRACK_STATE,
  CONN_CONTROL,
  CONN_EXPIRES_AT,
  CONN_FLAGS,
  CONN_SEQUENCE,
  CONN_SERVER,
  CONN_STATE,
  CONN_TIMER,
  FAMILY_BUCKET_MASK,
  FAMILY_BUCKETS,
  FAMILY_FREE,
  FAMILY_FREE_COUNT,
  FAMILY_SERVICE_COUNT,
  FAMILY_SERVICE_MASK,
  FAMILY_SERVICES,
  FAMILY_SIZE,
  NAMESPACE_CACHE,
  NAMESPACE_CACHE_FREE,
  NAMESPACE_CACHE_FREE_COUNT,
  NAMESPACE_CACHE_MASK,
  NAMESPACE_CONFIRMED,
  NAMESPACE_CONNTRACK,
  NAMESPACE_FORESEEING,
  NAMESPACE_NOW,
  NAMESPACE_RANDOM,
  NAMESPACE_SEQUENCE,
  NAMESPACE_SYSCTLS,
  NAMESPACE_TCP_TIMEOUTS,
  NAMESPACE_TIMER_COUNT,
  NAMESPACE_TIMER_LIMIT,
  NAMESPACE_TIMERS,
  NAMESPACE_UDP_TIMEOUT,
  NAMESPACE_UNRESERVED,
  NAMESPACE_V4,
  SERVER_ACTIVE,
  SERVER_ADDRESS,
  SERVER_FLAGS,
  SERVER_LAST_WEIGHT,
  SERVER_LOWER,
  SERVER_MAGLEV_AT,
  SERVER_MAGLEV_SKIP,
  SERVER_MAGLEV_TURNS,
  SERVER_PORT,
  SERVER_REFERENCES,
  SERVER_SIZE,
  SERVER_TOTAL,
  SERVER_UPPER,
  SERVER_WEIGHT,
  SERVICE_ADDRESS,
  SERVICE_ADDRESS_SIZE,
  SERVICE_BOUND_AT,
  SERVICE_CLASS,
  SERVICE_FLAGS,
  SERVICE_GCD,
  SERVICE_IS_STALE,
  SERVICE_LEVEL,
  SERVICE_MASK,
  SERVICE_NEXT,
  SERVICE_PORT,
  SERVICE_POSITION,
  SERVICE_SCHEDULER,
  SERVICE_SERVER_COUNT,
  SERVICE_SERVERS,
  SERVICE_SIZE,
  SERVICE_TABLE,
  SERVICE_TAG,
  SERVICE_TIMEOUT,
  SERVICE_TOP_LEVEL,
  SYSCTL_CONN_REUSE_MODE,
  SYSCTL_CONNTRACK,
  SYSCTL_EXPIRE_NODEST_CONN,
  SYSCTL_EXPIRE_QUIESCENT_TEMPLATE,
  SYSCTL_LBLC_EXPIRATION,
  SYSCTL_LBLCR_EXPIRATION,
  SYSCTL_SLOPPY_SCTP,
  SYSCTL_SLOPPY_TCP,
} from "../shared/ipvs-layout.ts";

@unmanaged
export class Namespace {
  now: f64 = 0;
  sequence: f64 = 0;
  connReuseMode: u32 = 0;
  conntrack: u32 = 0;
  expireNodestConn: u32 = 0;
  expireQuiescentTemplate: u32 = 0;
  lblcExpiration: u32 = 0;
  lblcrExpiration: u32 = 0;
  sloppySctp: u32 = 0;
  sloppyTcp: u32 = 0;
  conntrackAt: u32 = 0;
  random: u32 = 0;
  tcpTimeout0: u32 = 0;
  tcpTimeout1: u32 = 0;
  tcpTimeout2: u32 = 0;
  tcpTimeout3: u32 = 0;
  tcpTimeout4: u32 = 0;
  tcpTimeout5: u32 = 0;
  tcpTimeout6: u32 = 0;
  tcpTimeout7: u32 = 0;
  tcpTimeout8: u32 = 0;
  tcpTimeout9: u32 = 0;
  tcpTimeout10: u32 = 0;
  udpTimeout: u32 = 0;
  timers: u32 = 0;
  timerCount: u32 = 0;
  timerLimit: u32 = 0;
  unreserved: u32 = 0;
  cache: u32 = 0;
  cacheMask: u32 = 0;
  cacheFree: u32 = 0;
  cacheFreeCount: u32 = 0;
  isConfirmed: u32 = 0;
  isForeseeing: u32 = 0;
}
if (offsetof<Namespace>("now") != NAMESPACE_NOW) ERROR("Namespace.now is not at NAMESPACE_NOW");
if (offsetof<Namespace>("sequence") != NAMESPACE_SEQUENCE) ERROR("Namespace.sequence is not at NAMESPACE_SEQUENCE");
if (offsetof<Namespace>("conntrackAt") != NAMESPACE_CONNTRACK) ERROR("Namespace.conntrackAt is not at NAMESPACE_CONNTRACK");
if (offsetof<Namespace>("random") != NAMESPACE_RANDOM) ERROR("Namespace.random is not at NAMESPACE_RANDOM");
if (offsetof<Namespace>("tcpTimeout0") != NAMESPACE_TCP_TIMEOUTS) ERROR("Namespace.tcpTimeout0 is not at NAMESPACE_TCP_TIMEOUTS");
if (offsetof<Namespace>("udpTimeout") != NAMESPACE_UDP_TIMEOUT) ERROR("Namespace.udpTimeout is not at NAMESPACE_UDP_TIMEOUT");
if (offsetof<Namespace>("timers") != NAMESPACE_TIMERS) ERROR("Namespace.timers is not at NAMESPACE_TIMERS");
if (offsetof<Namespace>("timerCount") != NAMESPACE_TIMER_COUNT) ERROR("Namespace.timerCount is not at NAMESPACE_TIMER_COUNT");
if (offsetof<Namespace>("timerLimit") != NAMESPACE_TIMER_LIMIT) ERROR("Namespace.timerLimit is not at NAMESPACE_TIMER_LIMIT");
if (offsetof<Namespace>("unreserved") != NAMESPACE_UNRESERVED) ERROR("Namespace.unreserved is not at NAMESPACE_UNRESERVED");
if (offsetof<Namespace>("cache") != NAMESPACE_CACHE) ERROR("Namespace.cache is not at NAMESPACE_CACHE");
if (offsetof<Namespace>("cacheMask") != NAMESPACE_CACHE_MASK) ERROR("Namespace.cacheMask is not at NAMESPACE_CACHE_MASK");
if (offsetof<Namespace>("cacheFree") != NAMESPACE_CACHE_FREE) ERROR("Namespace.cacheFree is not at NAMESPACE_CACHE_FREE");
if (offsetof<Namespace>("cacheFreeCount") != NAMESPACE_CACHE_FREE_COUNT)
  ERROR("Namespace.cacheFreeCount is not at NAMESPACE_CACHE_FREE_COUNT");
if (offsetof<Namespace>("isConfirmed") != NAMESPACE_CONFIRMED) ERROR("Namespace.isConfirmed is not at NAMESPACE_CONFIRMED");
if (offsetof<Namespace>("isForeseeing") != NAMESPACE_FORESEEING) ERROR("Namespace.isForeseeing is not at NAMESPACE_FORESEEING");
if (offsetof<Namespace>() != NAMESPACE_V4) ERROR("Namespace does not end where the families begin");
if (offsetof<Namespace>("connReuseMode") != NAMESPACE_SYSCTLS + 4 * SYSCTL_CONN_REUSE_MODE)
  ERROR("Namespace.connReuseMode is not at SYSCTL_CONN_REUSE_MODE");
if (offsetof<Namespace>("conntrack") != NAMESPACE_SYSCTLS + 4 * SYSCTL_CONNTRACK) ERROR("Namespace.conntrack is not at SYSCTL_CONNTRACK");
if (offsetof<Namespace>("expireNodestConn") != NAMESPACE_SYSCTLS + 4 * SYSCTL_EXPIRE_NODEST_CONN)
  ERROR("Namespace.expireNodestConn is not at SYSCTL_EXPIRE_NODEST_CONN");
if (offsetof<Namespace>("expireQuiescentTemplate") != NAMESPACE_SYSCTLS + 4 * SYSCTL_EXPIRE_QUIESCENT_TEMPLATE)
  ERROR("Namespace.expireQuiescentTemplate is not at SYSCTL_EXPIRE_QUIESCENT_TEMPLATE");
if (offsetof<Namespace>("lblcExpiration") != NAMESPACE_SYSCTLS + 4 * SYSCTL_LBLC_EXPIRATION)
  ERROR("Namespace.lblcExpiration is not at SYSCTL_LBLC_EXPIRATION");
if (offsetof<Namespace>("lblcrExpiration") != NAMESPACE_SYSCTLS + 4 * SYSCTL_LBLCR_EXPIRATION)
  ERROR("Namespace.lblcrExpiration is not at SYSCTL_LBLCR_EXPIRATION");
if (offsetof<Namespace>("sloppySctp") != NAMESPACE_SYSCTLS + 4 * SYSCTL_SLOPPY_SCTP)
  ERROR("Namespace.sloppySctp is not at SYSCTL_SLOPPY_SCTP");
if (offsetof<Namespace>("sloppyTcp") != NAMESPACE_SYSCTLS + 4 * SYSCTL_SLOPPY_TCP) ERROR("Namespace.sloppyTcp is not at SYSCTL_SLOPPY_TCP");

@unmanaged
export class FamilyTables {
  buckets: u32 = 0;
  bucketMask: u32 = 0;
  free: u32 = 0;
  freeCount: u32 = 0;
  services: u32 = 0;
  serviceCount: u32 = 0;
  serviceMask: u32 = 0;
}
if (offsetof<FamilyTables>("buckets") != FAMILY_BUCKETS) ERROR("FamilyTables.buckets is not at FAMILY_BUCKETS");
if (offsetof<FamilyTables>("bucketMask") != FAMILY_BUCKET_MASK) ERROR("FamilyTables.bucketMask is not at FAMILY_BUCKET_MASK");
if (offsetof<FamilyTables>("free") != FAMILY_FREE) ERROR("FamilyTables.free is not at FAMILY_FREE");
if (offsetof<FamilyTables>("freeCount") != FAMILY_FREE_COUNT) ERROR("FamilyTables.freeCount is not at FAMILY_FREE_COUNT");
if (offsetof<FamilyTables>("services") != FAMILY_SERVICES) ERROR("FamilyTables.services is not at FAMILY_SERVICES");
if (offsetof<FamilyTables>("serviceCount") != FAMILY_SERVICE_COUNT) ERROR("FamilyTables.serviceCount is not at FAMILY_SERVICE_COUNT");
if (offsetof<FamilyTables>("serviceMask") != FAMILY_SERVICE_MASK) ERROR("FamilyTables.serviceMask is not at FAMILY_SERVICE_MASK");
if (offsetof<FamilyTables>() != FAMILY_SIZE) ERROR("FamilyTables is not FAMILY_SIZE bytes");

@unmanaged
export class Service {
  next: u32 = 0;
  class: u32 = 0;
  port: u32 = 0;
  addressSize: u32 = 0;
  address0: u64 = 0;
  address1: u64 = 0;
  scheduler: u32 = 0;
  flags: u32 = 0;
  servers: u32 = 0;
  serverCount: u32 = 0;
  position: u32 = 0;
  level: i32 = 0;
  topLevel: i32 = 0;
  gcd: u32 = 0;
  table: u32 = 0;
  timeout: u32 = 0;
  boundAt: f64 = 0;
  mask0: u64 = 0;
  mask1: u64 = 0;
  tag: u32 = 0;
  isStale: u32 = 0;
}
if (offsetof<Service>("next") != SERVICE_NEXT) ERROR("Service.next is not at SERVICE_NEXT");
if (offsetof<Service>("class") != SERVICE_CLASS) ERROR("Service.class is not at SERVICE_CLASS");
if (offsetof<Service>("addressSize") != SERVICE_ADDRESS_SIZE) ERROR("Service.addressSize is not at SERVICE_ADDRESS_SIZE");
if (offsetof<Service>("port") != SERVICE_PORT) ERROR("Service.port is not at SERVICE_PORT");
if (offsetof<Service>("address0") != SERVICE_ADDRESS) ERROR("Service.address0 is not at SERVICE_ADDRESS");
if (offsetof<Service>("scheduler") != SERVICE_SCHEDULER) ERROR("Service.scheduler is not at SERVICE_SCHEDULER");
if (offsetof<Service>("flags") != SERVICE_FLAGS) ERROR("Service.flags is not at SERVICE_FLAGS");
if (offsetof<Service>("servers") != SERVICE_SERVERS) ERROR("Service.servers is not at SERVICE_SERVERS");
if (offsetof<Service>("serverCount") != SERVICE_SERVER_COUNT) ERROR("Service.serverCount is not at SERVICE_SERVER_COUNT");
if (offsetof<Service>("position") != SERVICE_POSITION) ERROR("Service.position is not at SERVICE_POSITION");
if (offsetof<Service>("level") != SERVICE_LEVEL) ERROR("Service.level is not at SERVICE_LEVEL");
if (offsetof<Service>("topLevel") != SERVICE_TOP_LEVEL) ERROR("Service.topLevel is not at SERVICE_TOP_LEVEL");
if (offsetof<Service>("gcd") != SERVICE_GCD) ERROR("Service.gcd is not at SERVICE_GCD");
if (offsetof<Service>("table") != SERVICE_TABLE) ERROR("Service.table is not at SERVICE_TABLE");
if (offsetof<Service>("timeout") != SERVICE_TIMEOUT) ERROR("Service.timeout is not at SERVICE_TIMEOUT");
if (offsetof<Service>("boundAt") != SERVICE_BOUND_AT) ERROR("Service.boundAt is not at SERVICE_BOUND_AT");
if (offsetof<Service>("mask0") != SERVICE_MASK) ERROR("Service.mask0 is not at SERVICE_MASK");
if (offsetof<Service>("tag") != SERVICE_TAG) ERROR("Service.tag is not at SERVICE_TAG");
if (offsetof<Service>("isStale") != SERVICE_IS_STALE) ERROR("Service.isStale is not at SERVICE_IS_STALE");
if (offsetof<Service>() > SERVICE_SIZE) ERROR("Service is more than SERVICE_SIZE bytes");

@unmanaged
export class Server {
  weight: u32 = 0;
  lastWeight: u32 = 0;
  upper: u32 = 0;
  lower: u32 = 0;
  total: u32 = 0;
  active: u32 = 0;
  flags: u32 = 0;
  references: u32 = 0;
  address0: u64 = 0;
  address1: u64 = 0;
  port: u32 = 0;
  maglevAt: u32 = 0;
  maglevSkip: u32 = 0;
  maglevTurns: u32 = 0;
}
if (offsetof<Server>("weight") != SERVER_WEIGHT) ERROR("Server.weight is not at SERVER_WEIGHT");
if (offsetof<Server>("lastWeight") != SERVER_LAST_WEIGHT) ERROR("Server.lastWeight is not at SERVER_LAST_WEIGHT");
if (offsetof<Server>("upper") != SERVER_UPPER) ERROR("Server.upper is not at SERVER_UPPER");
if (offsetof<Server>("lower") != SERVER_LOWER) ERROR("Server.lower is not at SERVER_LOWER");
if (offsetof<Server>("total") != SERVER_TOTAL) ERROR("Server.total is not at SERVER_TOTAL");
if (offsetof<Server>("active") != SERVER_ACTIVE) ERROR("Server.active is not at SERVER_ACTIVE");
if (offsetof<Server>("flags") != SERVER_FLAGS) ERROR("Server.flags is not at SERVER_FLAGS");
if (offsetof<Server>("references") != SERVER_REFERENCES) ERROR("Server.references is not at SERVER_REFERENCES");
if (offsetof<Server>("address0") != SERVER_ADDRESS) ERROR("Server.address0 is not at SERVER_ADDRESS");
if (offsetof<Server>("port") != SERVER_PORT) ERROR("Server.port is not at SERVER_PORT");
if (offsetof<Server>("maglevAt") != SERVER_MAGLEV_AT) ERROR("Server.maglevAt is not at SERVER_MAGLEV_AT");
if (offsetof<Server>("maglevSkip") != SERVER_MAGLEV_SKIP) ERROR("Server.maglevSkip is not at SERVER_MAGLEV_SKIP");
if (offsetof<Server>("maglevTurns") != SERVER_MAGLEV_TURNS) ERROR("Server.maglevTurns is not at SERVER_MAGLEV_TURNS");
if (offsetof<Server>() != SERVER_SIZE) ERROR("Server is not SERVER_SIZE bytes");

/** The part of an entry that both families share; the tuples follow at CONN_CLIENT_TUPLE. */
@unmanaged
export class Connection {
  class: u8 = 0;
  state: u8 = 0;
  flags: u8 = 0;
  conntrackState: u8 = 0;
  server: u32 = 0;
  expiresAt: f64 = 0;
  sequence: f64 = 0;
  control: u32 = 0;
  timer: u32 = 0;
  conntrackEnd: f64 = 0;
}
if (offsetof<Connection>("class") != CONN_CLASS) ERROR("Connection.class is not at CONN_CLASS");
if (offsetof<Connection>("state") != CONN_STATE) ERROR("Connection.state is not at CONN_STATE");
if (offsetof<Connection>("flags") != CONN_FLAGS) ERROR("Connection.flags is not at CONN_FLAGS");
if (offsetof<Connection>("conntrackState") != CONN_CONNTRACK_STATE) ERROR("Connection.conntrackState is not at CONN_CONNTRACK_STATE");
if (offsetof<Connection>("server") != CONN_SERVER) ERROR("Connection.server is not at CONN_SERVER");
if (offsetof<Connection>("expiresAt") != CONN_EXPIRES_AT) ERROR("Connection.expiresAt is not at CONN_EXPIRES_AT");
if (offsetof<Connection>("sequence") != CONN_SEQUENCE) ERROR("Connection.sequence is not at CONN_SEQUENCE");
if (offsetof<Connection>("control") != CONN_CONTROL) ERROR("Connection.control is not at CONN_CONTROL");
if (offsetof<Connection>("timer") != CONN_TIMER) ERROR("Connection.timer is not at CONN_TIMER");
if (offsetof<Connection>("conntrackEnd") != CONN_CONNTRACK_END) ERROR("Connection.conntrackEnd is not at CONN_CONNTRACK_END");
if (offsetof<Connection>() != CONN_CLIENT_TUPLE) ERROR("Connection does not end where the tuples begin");

/** The address follows at CACHE_ADDRESS. */
@unmanaged
export class CacheNode {
  next: u32 = 0;
  service: u32 = 0;
  lastUse: f64 = 0;
  lastChange: f64 = 0;
  server: u32 = 0;
  members: u32 = 0;
}
if (offsetof<CacheNode>("next") != CACHE_NEXT) ERROR("CacheNode.next is not at CACHE_NEXT");
if (offsetof<CacheNode>("service") != CACHE_SERVICE) ERROR("CacheNode.service is not at CACHE_SERVICE");
if (offsetof<CacheNode>("lastUse") != CACHE_LAST_USE) ERROR("CacheNode.lastUse is not at CACHE_LAST_USE");
if (offsetof<CacheNode>("lastChange") != CACHE_LAST_CHANGE) ERROR("CacheNode.lastChange is not at CACHE_LAST_CHANGE");
if (offsetof<CacheNode>("server") != CACHE_SERVER) ERROR("CacheNode.server is not at CACHE_SERVER");
if (offsetof<CacheNode>("members") != CACHE_MEMBERS) ERROR("CacheNode.members is not at CACHE_MEMBERS");
if (offsetof<CacheNode>() != CACHE_ADDRESS) ERROR("CacheNode does not end where the address begins");
