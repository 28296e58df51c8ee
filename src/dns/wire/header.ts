// The header of a message: the same twelve bytes for queries and replies.
//   0     2       4        6        8          10           12
//   | id  | flags | qcount | answer | authority| additional |

export const HEADER_SIZE = 12;

/** Bits of the flags word. */
export const FLAG = {
  RESPONSE: 0x8000,
  AUTHORITATIVE: 0x0400,
  TRUNCATED: 0x0200,
  RECURSION_DESIRED: 0x0100,
  CHECKING_DISABLED: 0x0010,
} as const;

export const OPCODE_MASK = 0x7800;
export const OPCODE_SHIFT = 11;
export const RCODE_MASK = 0x000f;
/** The upper bits of an rcode travel in OPT. */
export const RCODE_BITS = 4;
