// What is written about a packet.
import {
  IPVS_FORWARD,
  IPVS_TRANSLATE,
  IPVS_VERDICT_ACTION,
  IPVS_VERDICT_ADDRESS,
  IPVS_VERDICT_PORT,
  IPVS_VERDICT_SERVER,
  IPVS_VERDICT_SERVICE,
} from "../shared/ipvs-layout.ts";
import { Server, Service } from "./structs.ts";
import { copyWords } from "./tuples.ts";

/** An action that says all. */
export function writeAction(verdict: usize, action: u32, service: Service): void {
  write(verdict, action, 0, changetype<Server>(0), service);
}

/** To this address and port, which are the server's. */
export function writeForward(verdict: usize, addressSize: u32, address: usize, port: u32, server: Server, service: Service): void {
  write(verdict, IPVS_FORWARD, port, server, service);
  copyWords(verdict + IPVS_VERDICT_ADDRESS, address, addressSize);
}

/** From this address and port, which are the virtual service's. */
export function writeTranslate(verdict: usize, addressSize: u32, address: usize, port: u32): void {
  write(verdict, IPVS_TRANSLATE, port, changetype<Server>(0), changetype<Service>(0));
  copyWords(verdict + IPVS_VERDICT_ADDRESS, address, addressSize);
}

function write(verdict: usize, action: u32, port: u32, server: Server, service: Service): void {
  store<u32>(verdict, action, IPVS_VERDICT_ACTION);
  store<u32>(verdict, port, IPVS_VERDICT_PORT);
  store<u32>(verdict, <u32>changetype<usize>(server), IPVS_VERDICT_SERVER);
  store<u32>(verdict, <u32>changetype<usize>(service), IPVS_VERDICT_SERVICE);
}
