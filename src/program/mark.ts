// What MARK and TPROXY make of a packet's firewall mark.

/** As `--set-xmark value/mask` says it: the mask's bits go, then the value's bits turn round. 32 bits, unsigned. */
export function markAfter(mark: number, change: { readonly value: number; readonly mask: number }): number {
  return ((mark & ~change.mask) ^ change.value) >>> 0;
}
