// The Internet checksum, and how it follows a change (RFC 1624), over 16-bit words in network order.

/** The one's complement sum of whole words from `at` on. */
export function sumOfWords(frame: DataView, at: number, bytes: number): number {
  let sum = 0;
  for (let word = at; word < at + bytes; word += 2) sum += frame.getUint16(word);
  return fold(sum);
}

/** A checksum once `before` has become `after` (as many words each): ~(~checksum + ~before + after). */
export function changedChecksum(checksum: number, before: readonly number[], after: readonly number[]): number {
  let sum = ~checksum & 0xffff;
  for (const word of before) sum += ~word & 0xffff;
  for (const word of after) sum += word;
  return ~fold(sum) & 0xffff;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return folded;
}
