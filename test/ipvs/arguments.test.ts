// What a person reads who asks IPVS for something that makes no sense: the field, its value, and what was expected. Nothing changes then.
import { expect, test } from 'vitest';
import type { Ipvs, IpvsPacket, ServerOptions, ServiceOptions, ServiceRef } from '../../src/ipvs/types.ts';
import { createIpvsSync, InvalidArgumentError, UnsupportedError } from '../../src/ipvs.ts';

const WEB = { protocol: 'TCP', address: '10.96.0.1', port: 80 } as const;
const OTHER = { ...WEB, port: 81 };
const PACKET = { protocol: 'TCP', source: '172.16.0.1', sourcePort: 1, destination: WEB.address, destinationPort: 80 } as const;

const addService =
  (options: object, service: object = OTHER) =>
  (ipvs: Ipvs) =>
    ipvs.addService(service as ServiceRef, options as ServiceOptions);
const addServer = (server: object) => (ipvs: Ipvs) => ipvs.addServer(WEB, { address: '10.0.0.1', port: 80, ...server } as ServerOptions);
const send = (packet: object) => (ipvs: Ipvs) => ipvs.process({ ...PACKET, ...packet } as IpvsPacket);

test.each<[string, (ipvs: Ipvs) => unknown]>([
  ['service "TCP 10.96.0.1:80" exists already', addService({}, WEB)],
  ['service.protocol "tcp" is not one of TCP, UDP, SCTP', addService({}, { ...OTHER, protocol: 'tcp' })],
  ['service.port 0 is for persistent services only', addService({}, { ...WEB, port: 0 })],
  ['service.address undefined is not an IP address', addService({}, { protocol: 'TCP', port: 80 })],
  ['service.fwmark 0 is not a whole number from 1 to 4294967295', addService({}, { fwmark: 0 })],
  ['service.family "ipv4" is neither IPv4 nor IPv6', addService({}, { fwmark: 1, family: 'ipv4' })],
  ['options.scheduler "RR" is not one of rr, wrr, lc', addService({ scheduler: 'RR' })],
  ['options.flags "sh-port" is not a list of flags', addService({ scheduler: 'sh', flags: 'sh-port' })],
  ['options.flags "sh-prt" is not one of sh-fallback, sh-port', addService({ scheduler: 'sh', flags: ['sh-prt'] })],
  ['options.flags "mh-port" is a flag of scheduler mh, not of sh', addService({ scheduler: 'sh', flags: ['mh-port'] })],
  ['options.onePacket true is for UDP and firewall marks only', addService({ onePacket: true })],
  ['options.persistence.timeout 0 is not a whole number from 1 to 2678400', addService({ persistence: { timeout: 0 } })],
  ['options.persistence.netmask 33 is not a whole number from 1 to 32', addService({ persistence: { timeout: 1, netmask: 33 } })],
  ['service "TCP 10.96.0.1:81" does not exist', (ipvs) => ipvs.editService(OTHER, {})],
  ['service "TCP 10.96.0.1:81" does not exist', (ipvs) => ipvs.addServer(OTHER, { address: '10.0.0.1', port: 80 })],
  ['server "10.0.0.1:80" does not exist in TCP 10.96.0.1:80', (ipvs) => ipvs.editServer(WEB, { address: '10.0.0.1', port: 80 })],
  ['server.address "fd00::1" is not an IPv4 address', addServer({ address: 'fd00::1' })],
  ['server.weight -1 is not a whole number from 0 to 2147483647', addServer({ weight: -1 })],
  ['server.lowerThreshold 2 is above the upper threshold 1', addServer({ upperThreshold: 1, lowerThreshold: 2 })],
  ['seconds.tcp -1 is not a whole number from 0 to 2147483647', (ipvs) => ipvs.setTimeouts({ tcp: -1 })],
  ['sysctl "backup" is not one of net.ipv4.vs.*', (ipvs) => ipvs.setSysctl('backup', 1)],
  ['conn_reuse_mode 1.5 is not a whole number', (ipvs) => ipvs.setSysctl('conn_reuse_mode', 1.5)],
  ['sysctl drop_entry 1 is not supported', (ipvs) => ipvs.setSysctl('drop_entry', 1)],
  ['packet.sourcePort 0 is not a whole number from 1 to 65535', send({ sourcePort: 0 })],
  ['packet.destination "fd00::1" is not of one family with packet.source 172.16.0.1', send({ destination: 'fd00::1' })],
  ['packet.tcpFlags "S" is not a whole number', send({ tcpFlags: 'S' })],
])('%s', (message, act) => {
  const ipvs = createIpvsSync({ engine: 'js' });
  ipvs.addService(WEB);
  const saved = ipvs.save();
  expect(() => act(ipvs)).toThrow(message);
  expect(() => act(ipvs)).toThrow(
    message.includes('scheduler "RR"') || message.includes('not supported') ? UnsupportedError : InvalidArgumentError,
  );
  expect(ipvs.save()).toBe(saved);
});
