// What `save` prints restores the same table, and what is wrong with a line is said with its number and option.
import { describe, expect, test } from 'vitest';
import type { Ipvs } from '../../src/ipvs/types.ts';
import { createIpvsSync } from '../../src/ipvs.ts';

const TABLE = `-A -t 10.96.0.10:80 -s wrr -p 360 -M 255.255.255.0
-a -t 10.96.0.10:80 -r 10.0.0.1:8080 -m -w 3
-a -t 10.96.0.10:80 -r 10.0.0.2:8080 -m -w 0 -x 100 -y 60
-A -u 10.96.0.10:53 -s sh -o -b sh-fallback,sh-port
-A --sctp-service [fd00::10]:3868 -s mh -p 60 -M 64 -b mh-port
-a --sctp-service [fd00::10]:3868 -r [fd00::1]:3868 -m -w 1
-A -f 7 -s twos
-a -f 7 -r 10.0.0.3:0 -m -w 2147483647
-A -f 4294967295 -6 -s lblcr
`;

function choices(ipvs: Ipvs): (string | undefined)[] {
  return Array.from({ length: 12 }, (_, index) => {
    const packet = {
      protocol: 'TCP',
      source: `172.16.${index}.1`,
      sourcePort: 2000,
      destination: '10.96.0.10',
      destinationPort: 80,
    } as const;
    return ipvs.process(packet).server?.address;
  });
}

describe.each(['wasm', 'js'] as const)('save and restore on the %s engine', (engine) => {
  const create = (): Ipvs => createIpvsSync({ engine, seed: 1, now: () => 0 });

  test('give back what was there, in the order that schedulers see', () => {
    const ipvs = create();
    ipvs.restore(TABLE);
    expect(ipvs.save()).toBe(TABLE);
    const again = create();
    again.restore(ipvs.save());
    expect(choices(again)).toEqual(choices(ipvs));
    expect(again.services()).toEqual(ipvs.services());
  });

  test('take long names, attached values, comments and blank lines', () => {
    const ipvs = create();
    ipvs.restore(
      `# a table\n\n--add-service --tcp-service=10.96.0.10:80 --scheduler wlc --persistent\n-at10.96.0.10:80 -r10.0.0.1 -m # its server\n--set 600 0 30`,
    );
    expect(ipvs.save()).toBe('-A -t 10.96.0.10:80 -s wlc -p 300\n-a -t 10.96.0.10:80 -r 10.0.0.1:80 -m -w 1\n');
  });

  test.each([
    ['-A -t 10.96.0.10:80 -s best', 'line 2: -s'],
    ['-A -t 10.96.0.300:80', 'line 2: -t "10.96.0.300"'],
    ['-a -t 10.96.0.9:80 -r 10.0.0.1:80 -m -w -1', 'line 2: -w'],
    ['-a -t 10.96.0.9:80 -r 10.0.0.1:80 -m -w many', 'line 2: -w "many"'],
    ['-a -t 10.96.0.9:80 -r 10.0.0.1:80 -m -x 5 -y 6', 'line 2: -y 6'],
    ['-a -t 10.96.0.9:80 -r 10.0.0.1:80', 'line 2: without -m'],
    ['-a -t 10.96.0.9:80 -r 10.0.0.1:80 -g', 'line 2: -g'],
    ['-A -t 10.96.0.9:80', 'line 2: -t "TCP 10.96.0.9:80" exists already'],
    ['-D -t 10.96.0.8:80', 'line 2: -t "TCP 10.96.0.8:80" does not exist'],
    ['-A -t 10.96.0.8:80 -o', 'line 2: -o'],
    ['-A -t 10.96.0.8:80 -M 255.0.0.0', 'line 2: -M'],
    ['-Z', 'line 2'],
  ])('refuse %s, naming line and option, and change nothing', (line, message) => {
    const ipvs = create();
    expect(() => ipvs.restore(`-A -t 10.96.0.9:80 -s rr\n${line}\n`)).toThrow(message);
    expect(ipvs.save()).toBe('');
  });
});
