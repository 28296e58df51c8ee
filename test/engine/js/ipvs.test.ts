// IPVS in the TypeScript engine: virtual services, round robin, and where in the hooks it works.
import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../src/program/ruleset.ts';
import type { VirtualService } from '../../../src/program/virtual-service.ts';
import { baseChain, CLUSTER_IP, filterProgram, NODE_IP, rule, virtualService, WEB } from './small-programs.ts';
import { packet, replyTo, TestNode } from './test-node.ts';

const LOCAL = { localAddresses: ['127.0.0.0/8', NODE_IP, CLUSTER_IP] };

function ipvsProgram(service: Partial<VirtualService>, rules: Partial<Record<'INPUT' | 'OUTPUT' | 'FORWARD', readonly Rule[]>> = {}) {
  const chains = (['INPUT', 'OUTPUT', 'FORWARD'] as const).map((hook) => baseChain(hook, 'filter', rules[hook] ?? []));
  return filterProgram(chains, { ...LOCAL, virtualServices: [virtualService(service)] });
}

function servers(...names: string[]): VirtualService['destinations'] {
  return names.map((name) => ({ address: `10.244.1.${name}`, port: 8080, weight: 1 }));
}

function round(node: TestNode, length: number, firstPort = 1000): (string | undefined)[] {
  return Array.from({ length }, (_, index) =>
    node
      .process(packet({ sourcePort: firstPort + index }))
      .backend?.address.split('.')
      .at(-1),
  );
}

describe('round robin', () => {
  it('begins with the destination added last and goes around', () => {
    expect(round(new TestNode(ipvsProgram({ destinations: servers('1', '2', '3') })), 5)).toEqual(['3', '2', '1', '3', '2']);
  });

  it('leaves out destinations of weight 0', () => {
    const destinations = servers('1', '2', '3').map((server, index) => ({ ...server, weight: index === 1 ? 0 : 1 }));
    expect(round(new TestNode(ipvsProgram({ destinations })), 4)).toEqual(['3', '1', '3', '1']);
  });

  it('goes on after the last choice when the Program is loaded again', () => {
    const node = new TestNode(ipvsProgram({ destinations: servers('1', '2', '3') }));
    expect(round(node, 1)).toEqual(['3']);
    node.engine.load(ipvsProgram({ destinations: servers('1', '2', '3', '4') }));
    expect(round(node, 2, 2000)).toEqual(['2', '1']);
  });

  it('begins again at the front when the last choice is gone', () => {
    const node = new TestNode(ipvsProgram({ destinations: servers('1', '2', '3') }));
    round(node, 1);
    node.engine.load(ipvsProgram({ destinations: servers('1', '2') }));
    expect(round(node, 2, 2000)).toEqual(['2', '1']);
  });
});

describe('a virtual service', () => {
  it('without a usable destination rejects', () => {
    const node = new TestNode(ipvsProgram({ destinations: [] }));
    expect(node.process(packet())).toMatchObject({ action: 'REJECT', connection: 'NEW', servicePort: WEB });
    expect(node.connections()).toHaveLength(0);
  });

  it('takes packets of its protocol, address and port alone', () => {
    const node = new TestNode(ipvsProgram({ destinations: servers('1') }));
    expect(node.process(packet({ destinationPort: 81 })).action).toBe('ACCEPT');
    expect(node.process(packet({ protocol: 'UDP' })).action).toBe('ACCEPT');
    expect(node.process(packet())).toMatchObject({ action: 'DNAT', servicePort: WEB, backend: { address: '10.244.1.1', port: 8080 } });
  });

  it('has its replies translated back', () => {
    const node = new TestNode(ipvsProgram({ destinations: servers('1') }));
    expect(node.process(replyTo(node.process(packet()))).translated).toMatchObject({ source: CLUSTER_IP, sourcePort: 80 });
  });

  it('works after the INPUT chains saw the virtual address, and before the OUTPUT chains', () => {
    const toVirtual = rule([{ kind: 'destination', prefix: `${CLUSTER_IP}/32` }], { kind: 'drop' });
    const inInput = new TestNode(ipvsProgram({ destinations: servers('1') }, { INPUT: [toVirtual] }));
    expect(inInput.process(packet()).action).toBe('DROP');
    const inOutput = new TestNode(ipvsProgram({ destinations: servers('1') }, { OUTPUT: [toVirtual] }));
    expect(inOutput.process(packet()).action).toBe('DNAT');
    expect(inOutput.process(packet({ source: NODE_IP })).action).toBe('DNAT');
  });

  it('is known to the ipvs match', () => {
    const bySelf = rule([{ kind: 'ipvs', virtualAddress: CLUSTER_IP, virtualProtocol: 'tcp', virtualPort: 80 }], { kind: 'drop' });
    const node = new TestNode(ipvsProgram({ destinations: servers('1') }, { OUTPUT: [bySelf] }));
    expect(node.process(packet()).action).toBe('DROP');
  });

  it.each([
    [{ scheduler: 'fastest' }, 'scheduler "fastest" is not one of rr, wrr,'],
    [{ persistence: { timeoutSeconds: 0 } }, 'persistence.timeout 0 is not a whole number from 1'],
    [{ flags: ['sh-port'] }, 'flags "sh-port" is a flag of scheduler sh, not of rr'],
  ])('that makes no sense is refused: %j', (parts, message) => {
    expect(() => new TestNode(ipvsProgram(parts))).toThrow(message);
  });
});
