// What a frame of a capture is, in whichever format, and the error about a broken one.
import { SvcplaneError } from '../errors.ts';

export interface CapturedFrame {
  /** LINKTYPE_*, as tcpdump.org lists them; 1 is Ethernet. */
  readonly linkType: number;
  /** Since 1970, and the rest below a second. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** What was kept of it. */
  readonly bytes: Uint8Array;
  /** What it was on the wire. */
  readonly wireLength: number;
}

/** A file that is no capture, or that is broken. */
export class CaptureError extends SvcplaneError {
  override name = 'CaptureError';
}

/** Says what is wrong with what lies at an offset of a capture. */
export type Fail = (at: number, message: string) => CaptureError;
