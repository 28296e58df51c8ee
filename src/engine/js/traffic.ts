// What passed for each ServicePort, as frames: packets and bytes in either direction.
import type { ServicePortTraffic } from '../frame-ring.ts';

/** By number of the ServicePort; 0: of none. */
export type Traffic = Map<number, { -readonly [Field in keyof ServicePortTraffic]: ServicePortTraffic[Field] }>;

export function countTraffic(traffic: Traffic, servicePort: number, isReply: boolean, bytes: number): void {
  let counted = traffic.get(servicePort);
  if (counted === undefined) {
    counted = { packets: 0, bytes: 0, replyPackets: 0, replyBytes: 0 };
    traffic.set(servicePort, counted);
  }
  if (isReply) {
    counted.replyPackets++;
    counted.replyBytes += bytes;
  } else {
    counted.packets++;
    counted.bytes += bytes;
  }
}
