// The Internet checksum after a change (RFC 1624): only what changed is looked at, so that payload and old errors stay as they are.
// A change is a sum of ~old + new over words as they lie; one's complement sums do not mind the byte order.

/** What replacing a word changes. */
export function wordChange(before: u32, after: u32): u64 {
  return <u64>~before + <u64>after;
}

/** What replacing an address changes, words each. @inline */
export function addressChange<A>(before: usize, after: usize): u64 {
  let change: u64 = 0;
  for (let at: usize = 0; at < offsetof<A>(); at += 4) change += wordChange(load<u32>(before + at), load<u32>(after + at));
  return change;
}

/** A sum of words, fewer than 65536 of them, folded to 16 bits; 0 only if all of them were 0. @inline */
export function fold(sum: u64): u32 {
  let folded = (sum & 0xffffffff) + (sum >> 32);
  folded = (folded & 0xffff) + (folded >> 16);
  return <u32>(folded + (folded >> 16)) & 0xffff;
}

/** A checksum after a change. @inline */
export function changedChecksum(before: u32, change: u64): u32 {
  return ~fold(<u64>(~before & 0xffff) + change) & 0xffff;
}

/** Brings the checksum field at `at` up to date. @inline */
export function changeChecksum(at: usize, change: u64): void {
  store<u16>(at, <u16>changedChecksum(load<u16>(at), change));
}
