// All of IPVS in one network namespace, behind the address of its record: the host passes it, nothing here belongs to one of them.
import { NAMESPACE_TCP_TIMEOUTS, NAMESPACE_V4, NAMESPACE_V6 } from "../shared/ipvs-layout.ts";
import { ADDRESS_V4 } from "../shared/layout.ts";
import { nextRandom } from "../shared/random.ts";
import { FamilyTables, Namespace } from "./structs.ts";

/** Services and connections of the family whose addresses have this size. */
export function tablesOf(namespace: Namespace, addressSize: u32): FamilyTables {
  return changetype<FamilyTables>(changetype<usize>(namespace) + (addressSize == ADDRESS_V4 ? NAMESPACE_V4 : NAMESPACE_V6));
}

/** Seconds, by IPVS_TCP_*. */
export function tcpTimeout(namespace: Namespace, state: u32): u32 {
  return load<u32>(changetype<usize>(namespace) + NAMESPACE_TCP_TIMEOUTS + (state << 2));
}

/** 1 to 0xffffffff. */
export function drawRandom(namespace: Namespace): u32 {
  const number = nextRandom(namespace.random);
  namespace.random = number;
  return number;
}
