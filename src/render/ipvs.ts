// The parts of IPVS mode that are not rules: the dummy interface, the ipsets, the virtual services.
import { formatEndpoint } from '../address.ts';
import type { Rendered } from '../dataplane-types.ts';
import type { Program } from '../program/program.ts';
import type { ElementKey, KeyField, NamedSet } from '../program/sets.ts';
import type { VirtualService } from '../program/virtual-service.ts';
import { firstOfEach } from './first-of-each.ts';

/** The interface that every service address is bound to. */
const DUMMY_INTERFACE = 'kube-ipvs0';

/** Ends the name of the set that lists the bound addresses, of either family. */
const BOUND_ADDRESSES = 'IPVS-IPS';

const ipvsadmProtocol: Readonly<Record<VirtualService['protocol'], string>> = { TCP: '-t', UDP: '-u', SCTP: '--sctp-service' };

/** Input of `ip -batch`. `replace` makes the second family's turn harmless. */
export function renderDummyInterface(program: Program): Rendered {
  const bound = program.sets.find((set) => set.name.endsWith(BOUND_ADDRESSES))?.elements ?? [];
  const length = program.family === 'IPv4' ? 32 : 128;
  const link = program.family === 'IPv4' ? [`link add ${DUMMY_INTERFACE} type dummy`] : [];
  const addresses = bound.map(([address]) => `addr replace ${address}/${length} dev ${DUMMY_INTERFACE}`);
  return { tool: 'ip', family: program.family, text: [...link, ...addresses].map((line) => `${line}\n`).join('') };
}

/** Input of `ipset restore`. */
export function renderIpsets(program: Program): Rendered {
  const lines = program.sets.flatMap((set) => [
    createLine(set, program),
    ...set.elements.flatMap(halvesOf).map((key) => `add ${set.name} ${entryText(set.key, key)}`),
  ]);
  return { tool: 'ipset', family: program.family, text: lines.map((line) => `${line}\n`).join('') };
}

function createLine(set: NamedSet, program: Program): string {
  const type = set.ipsetType ?? 'hash:ip';
  if (type.startsWith('bitmap')) return `create ${set.name} ${type} range 0-65535`;
  return `create ${set.name} ${type} family ${program.family === 'IPv4' ? 'inet' : 'inet6'} hashsize 1024 maxelem 65536`;
}

/** ipset has no networks of length 0: two halves say the same. */
function halvesOf(key: ElementKey): readonly ElementKey[] {
  const halves = key.includes('0.0.0.0/0') ? ['0.0.0.0/1', '128.0.0.0/1'] : key.includes('::/0') ? ['::/1', '8000::/1'] : [];
  return halves.length === 0 ? [key] : halves.map((half) => [...key.slice(0, -1), half]);
}

/** `10.96.0.10,udp:53`, `30080`, `10.244.1.5,tcp:8080,10.244.1.5`. */
function entryText(fields: readonly KeyField[], key: ElementKey): string {
  const parts: string[] = [];
  fields.forEach((field, index) => {
    const part = String(key[index]);
    if (field === 'port' && fields[index - 1] === 'protocol') parts.push(`${parts.pop()}:${part}`);
    else parts.push(part);
  });
  return parts.join(',');
}

/** Input of `ipvsadm -R`. */
export function renderIpvsadm(program: Program): Rendered {
  const text = firstOfEach(program.virtualServices, nameText).map(serviceText).join('');
  return { tool: 'ipvsadm', family: program.family, text: timeoutsText(program) + text };
}

/** The timeouts of all of IPVS, said once: by IPv4. */
function timeoutsText({ family, ipvs }: Program): string {
  const { tcp = 0, tcpfin = 0, udp = 0 } = ipvs?.timeouts ?? {};
  return family === 'IPv6' || tcp + tcpfin + udp === 0 ? '' : `--set ${tcp} ${tcpfin} ${udp}\n`;
}

/** `-t 10.96.0.20:80`. */
function nameText({ protocol, address, port }: VirtualService): string {
  return `${ipvsadmProtocol[protocol]} ${formatEndpoint(address, port)}`;
}

function serviceText(service: VirtualService): string {
  const name = nameText(service);
  const persistence = service.persistence === undefined ? '' : ` -p ${service.persistence.timeoutSeconds}`;
  const flags = service.flags.length === 0 ? '' : ` -b ${service.flags.join(',')}`;
  const servers = service.destinations.map(
    ({ address, port, weight }) => `-a ${name} -r ${formatEndpoint(address, port)} -m -w ${weight}\n`,
  );
  return `-A ${name} -s ${service.scheduler}${persistence}${flags}\n${servers.join('')}`;
}
