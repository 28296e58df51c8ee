// Addresses of both families behind one type parameter: offsetof<A>() is the width in bytes, known when compiling,
// so that each function exists twice in the binary and once here.

/** IPv4: one wire word. */
@unmanaged
export class V4 {
  word: u32 = 0;
}

/** IPv6: four wire words. */
@unmanaged
export class V6 {
  low: u64 = 0;
  high: u64 = 0;
}

export function equalAddress<A>(a: usize, b: usize): bool {
  if (offsetof<A>() == 4) return load<u32>(a) == load<u32>(b);
  return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8);
}

/** True when address, masked, is the network. @inline */
export function insideNetwork<A>(address: usize, network: usize, mask: usize): bool {
  if (offsetof<A>() == 4) return (load<u32>(address) & load<u32>(mask)) == load<u32>(network);
  return (
    (load<u64>(address) & load<u64>(mask)) == load<u64>(network) && (load<u64>(address, 8) & load<u64>(mask, 8)) == load<u64>(network, 8)
  );
}

export function copyAddress<A>(to: usize, from: usize): void {
  if (offsetof<A>() == 4) {
    store<u32>(to, load<u32>(from));
  } else {
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u64>(from, 8), 8);
  }
}

/** A port between host and network order. */
export function swapPort(port: u32): u32 {
  return ((port & 0xff) << 8) | (port >> 8);
}
