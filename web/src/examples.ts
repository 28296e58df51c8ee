// Examples, each with a packet worth asking about. Those of web/examples/ have what `svcplane check` warns of: that is what they show.
import hostnames from '../../examples/hostnames.yaml?raw';
import loadBalancer from '../examples/load-balancer.yaml?raw';
import noEndpoints from '../examples/no-endpoints.yaml?raw';
import nodePortLocal from '../examples/nodeport-local.yaml?raw';
import sessionAffinity from '../examples/session-affinity.yaml?raw';

export interface Example {
  readonly name: string;
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

export const EXAMPLES: readonly [Example, ...Example[]] = [
  { name: 'hostnames', title: 'Cluster IP, three Pods', from: 'default/client', to: 'hostnames', text: hostnames },
  {
    name: 'nodeport-local',
    title: 'NodePort, externalTrafficPolicy: Local',
    from: 'external',
    to: '192.168.0.12:30080',
    text: nodePortLocal,
  },
  { name: 'load-balancer', title: 'Load balancer with source ranges', from: 'external', to: '198.51.100.10:443', text: loadBalancer },
  { name: 'session-affinity', title: 'Session affinity', from: 'default/client', to: 'cart', text: sessionAffinity },
  { name: 'no-endpoints', title: 'A Service that gets no traffic', from: 'default/client', to: 'api', text: noEndpoints },
];

export function exampleText(name: string): string {
  return EXAMPLES.find((example) => example.name === name)?.text ?? '';
}
