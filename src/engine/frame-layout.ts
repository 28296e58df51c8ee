// The layout of frame slots and records as plain numbers, for those who write and read the memory of a ring themselves.
import {
  FRAME_ACTION,
  FRAME_CONNECTION,
  FRAME_FLAGS,
  FRAME_HOOK,
  FRAME_INTERFACE,
  FRAME_KIND,
  FRAME_LENGTH,
  FRAME_MARK,
  FRAME_PEER,
  FRAME_RULES,
  FRAME_SERVICE_PORT,
  FRAME_SIZE,
  FRAME_WIRE_LENGTH,
  PEER_NONE,
  SLOT_FRAME,
} from '../../assembly/shared/frame-layout.ts';
import { FRAME_KINDS, type FrameKind } from './frame-ring.ts';

/** Offsets that end in `Word` count 32-bit words from the record's start, those in `Byte` count bytes. */
export interface FrameLayout {
  /** Where a frame begins in its slot. */
  readonly frameByte: number;
  /** Size of a record. */
  readonly words: number;
  readonly bytes: number;
  /** Written by the caller: bytes there are, bytes there were on the wire (0: as many). */
  readonly lengthWord: number;
  readonly wireLengthWord: number;
  /** u8 and u16, as in a packet record; the byte before is 0. */
  readonly hookByte: number;
  readonly interfaceByte: number;
  readonly markWord: number;
  /** Written by the engine: u8 each, RECORD_CODES; connection is 0 for frames that are no packet of a connection. */
  readonly actionByte: number;
  readonly connectionByte: number;
  readonly flagsByte: number;
  /** u8, one of `kinds`. */
  readonly kindByte: number;
  readonly servicePortWord: number;
  /** The frame's number in the transmit ring, there its number in the ring it came from; or `noPeer`. */
  readonly peerWord: number;
  readonly rulesWord: number;
  readonly noPeer: number;
  readonly kinds: Readonly<Record<FrameKind, number>>;
}

export const FRAME_LAYOUT: FrameLayout = {
  frameByte: SLOT_FRAME,
  words: FRAME_SIZE / 4,
  bytes: FRAME_SIZE,
  lengthWord: FRAME_LENGTH / 4,
  wireLengthWord: FRAME_WIRE_LENGTH / 4,
  hookByte: FRAME_HOOK,
  interfaceByte: FRAME_INTERFACE,
  markWord: FRAME_MARK / 4,
  actionByte: FRAME_ACTION,
  connectionByte: FRAME_CONNECTION,
  flagsByte: FRAME_FLAGS,
  kindByte: FRAME_KIND,
  servicePortWord: FRAME_SERVICE_PORT / 4,
  peerWord: FRAME_PEER / 4,
  rulesWord: FRAME_RULES / 4,
  noPeer: PEER_NONE,
  kinds: FRAME_KINDS,
};
