// A capture taken at a client shows replies as the client gets them: from the Service. Sent through a node again they would belong to no
// connection, for the node waits for the backend's own. They are taken back to what the backend sent, in this replay's connections.
import type { FrameResult } from '../dataplane-types.ts';
import type { Tuple } from '../engine/js/flight.ts';
import type { PacketHeaders } from '../engine/js/frame-headers.ts';
import { readTuple, rewrite } from '../engine/js/frame-rewrite.ts';

export class SeenFromClient {
  /** A reply as the client sees it → as the backend sends it. */
  readonly #replies = new Map<string, Tuple>();

  /** The frame as the backend had sent it, if it is a reply to a client of this replay; else the frame itself. */
  takeBack(frame: Uint8Array, packet: PacketHeaders): Uint8Array {
    const sent = this.#replies.get(keyOf(packet, readTuple(viewOf(frame), packet)));
    if (sent === undefined) return frame;
    const copy = frame.slice();
    rewrite(viewOf(copy), packet, sent);
    return copy;
  }

  /** Remembers what a translated connection's replies look like. */
  learn(result: FrameResult, packet: PacketHeaders, came: Uint8Array, left: Uint8Array): void {
    if (result.connection !== 'NEW' || !result.passes) return;
    const before = turned(readTuple(viewOf(came), packet));
    const after = turned(readTuple(viewOf(left), packet));
    if (keyOf(packet, before) !== keyOf(packet, after)) this.#replies.set(keyOf(packet, before), after);
  }
}

function turned({ source, sourcePort, destination, destinationPort }: Tuple): Tuple {
  return { source: destination, sourcePort: destinationPort, destination: source, destinationPort: sourcePort };
}

function keyOf({ protocol }: PacketHeaders, { source, sourcePort, destination, destinationPort }: Tuple): string {
  return [protocol, ...source, sourcePort, ...destination, destinationPort].join(' ');
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
