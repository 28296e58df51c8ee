// What a page runs that answers DNS: one query as bytes, and what the reply says.
import { createClusterDns } from 'svcplane/dns';
import { objects } from './objects.mjs';

// A query for the A records of web.default.svc.cluster.local: an id, RD, one question.
const labels = ['web', 'default', 'svc', 'cluster', 'local'].map((label) => [
  label.length,
  ...[...label].map((char) => char.charCodeAt(0)),
]);
const query = Uint8Array.from([0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels.flat(), 0, 0, 1, 0, 1]);

async function ask() {
  const dns = await createClusterDns();
  dns.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } }, ...objects]);
  const reply = await dns.query(query, { transport: 'udp' });
  const view = new DataView(reply.buffer, reply.byteOffset);
  return {
    id: view.getUint16(0),
    flags: view.getUint16(2),
    answers: view.getUint16(6),
    address: reply.slice(-4).join('.'),
    hasBuffer: 'Buffer' in globalThis,
  };
}

ask().then(
  (answered) => {
    globalThis.sent = answered;
  },
  (error) => {
    globalThis.sent = { error: String(error) };
  },
);
