// Writes verdict records.
import { copyAddress } from "./address.ts";
import {
  ACTION_ACCEPT,
  COUNTER_ACCEPT,
  VERDICT_ACTION,
  VERDICT_CONNECTION,
  VERDICT_FLAG_MASQUERADE,
  VERDICT_FLAGS,
  VERDICT_PORTS,
  VERDICT_RULES,
  VERDICT_SERVICE_PORT,
  VERDICT_SOURCE,
} from "./shared/layout.ts";
import { count } from "./state.ts";

/** The addresses and ports of a verdict: those the packet leaves with. @inline */
export function writeTranslation<A>(verdict: usize, source: usize, destination: usize, ports: u32): void {
  store<u32>(verdict, ports, VERDICT_PORTS);
  copyAddress<A>(verdict + VERDICT_SOURCE, source);
  copyAddress<A>(verdict + VERDICT_SOURCE + offsetof<A>(), destination);
}

/** Those of a packet that leaves as it came, or does not leave. */
export function writeUntranslated<A>(verdict: usize, packet: usize): void {
  writeTranslation<A>(verdict, packet, packet + offsetof<A>(), load<u32>(packet + 2 * offsetof<A>()));
}

/** The rest of a verdict, and its action counted. @inline */
export function writeVerdict(verdict: usize, action: u32, connection: u32, isMasquerade: bool, servicePort: u32, rules: u32): void {
  store<u8>(verdict, <u8>action, VERDICT_ACTION);
  store<u8>(verdict, <u8>connection, VERDICT_CONNECTION);
  store<u16>(verdict, isMasquerade ? <u16>VERDICT_FLAG_MASQUERADE : 0, VERDICT_FLAGS);
  store<u32>(verdict, servicePort, VERDICT_SERVICE_PORT);
  store<u32>(verdict, rules, VERDICT_RULES);
  count(COUNTER_ACCEPT + action - ACTION_ACCEPT);
}
