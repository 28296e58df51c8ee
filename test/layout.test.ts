// The memory layout as data: records do not overlap, sizes are multiples of 4, both sides agree on the version.
import { describe, expect, test } from 'vitest';
import * as conntrack from '../assembly/shared/conntrack-layout.ts';
import * as frames from '../assembly/shared/frame-layout.ts';
import * as ipvs from '../assembly/shared/ipvs-layout.ts';
import * as layout from '../assembly/shared/layout.ts';
import { startCoreSync } from '../src/engine/wasm/core.ts';
import { embeddedCore } from '../src/engine/wasm/embedded-core.ts';

const constants: Readonly<Record<string, number>> = { ...layout, ...conntrack, ...frames, ...ipvs };

/** [record, size constant, offset constants with their widths in bytes] */
const records: readonly [string, string, readonly (readonly [string, number])[]][] = [
  [
    'state',
    'STATE_SIZE',
    [
      ['STATE_NOW', 8],
      ['STATE_IPVS', 4],
      ['STATE_RANDOM', 4],
      ['STATE_CONNTRACK_MAX', 4],
      ['STATE_INTERFACES', 4],
      ['STATE_TCP_LOOSE', 4],
      ['STATE_TIMEOUTS', layout.TIMEOUT_COUNT * 4],
      ['STATE_ROOT_V4', 4],
      ['STATE_ROOT_V6', 4],
      ['STATE_COUNTERS', layout.COUNTER_COUNT * 8],
    ],
  ],
  [
    'frame ring',
    'RING_SIZE',
    ['RING_SLOTS', 'RING_STRIDE', 'RING_RECORDS', 'RING_FLAGS', 'RING_TRANSMIT', 'RING_COUNT'].map((field) => [field, 4] as const),
  ],
  [
    'frame record',
    'FRAME_SIZE',
    [
      ['FRAME_LENGTH', 4],
      ['FRAME_WIRE_LENGTH', 4],
      ['FRAME_HOOK', 1],
      ['FRAME_INTERFACE', 2],
      ['FRAME_MARK', 4],
      ['FRAME_ACTION', 1],
      ['FRAME_CONNECTION', 1],
      ['FRAME_FLAGS', 1],
      ['FRAME_KIND', 1],
      ['FRAME_SERVICE_PORT', 4],
      ['FRAME_PEER', 4],
      ['FRAME_RULES', 4],
    ],
  ],
  [
    'what is kept about frames',
    'FRAMES_SIZE',
    [
      ['FRAMES_TRAFFIC', 4],
      ['FRAMES_TRAFFIC_LIMIT', 4],
      ['FRAMES_COUNTERS', frames.KIND_COUNT * 8],
    ],
  ],
  [
    'traffic of a ServicePort',
    'TRAFFIC_SIZE',
    [
      ['TRAFFIC_PACKETS', 8],
      ['TRAFFIC_BYTES', 8],
      ['TRAFFIC_REPLY_PACKETS', 8],
      ['TRAFFIC_REPLY_BYTES', 8],
    ],
  ],
  [
    'root',
    'ROOT_SIZE',
    [
      ['ROOT_HOOKS', layout.HOOK_COUNT * 8],
      ['ROOT_LOCAL', 4],
      ['ROOT_MASQUERADE', 4],
      ['ROOT_ESTABLISHED', layout.PATH_COUNT * 4],
      ['ROOT_FIRST_PRIORITY', 4],
      ['ROOT_THRESHOLDS', 4],
    ],
  ],
  [
    'base chain',
    'BASE_SIZE',
    [
      ['BASE_CHAIN', 4],
      ['BASE_IS_NAT', 4],
      ['BASE_PRIORITY', 4],
      ['BASE_NEW_RULES', 4],
      ['BASE_MARKS', 4],
    ],
  ],
  [
    'chain',
    'CHAIN_SIZE',
    [
      ['CHAIN_COUNT', 4],
      ['CHAIN_PADDED', 4],
      ['CHAIN_COLUMNS', 4],
      ['CHAIN_RULES', 4],
      ['CHAIN_END', 4],
      ['CHAIN_ALIKE', 4],
      ['CHAIN_WRITTEN', 4],
    ],
  ],
  [
    'endpoint, IPv4',
    'ENDPOINT_SIZE_V4',
    [
      ['ENDPOINT_PORT', 4],
      ['ENDPOINT_ADDRESS', layout.ADDRESS_V4],
    ],
  ],
  [
    'endpoint, IPv6',
    'ENDPOINT_SIZE_V6',
    [
      ['ENDPOINT_PORT', 4],
      ['ENDPOINT_ADDRESS', layout.ADDRESS_V6],
    ],
  ],
  [
    'rule',
    'RULE_SIZE',
    [
      ['RULE_TARGET', 4],
      ['RULE_A', 4],
      ['RULE_B', 4],
      ['RULE_MATCHES', 4],
      ['RULE_MATCH_COUNT', 4],
      ['RULE_SERVICE_PORT', 4],
      ['RULE_C', 4],
    ],
  ],
  [
    'match',
    'MATCH_SIZE',
    [
      ['MATCH_KIND', 4],
      ['MATCH_NEGATED', 4],
      ['MATCH_A', 4],
      ['MATCH_B', 4],
      ['MATCH_WORDS', 32],
    ],
  ],
  [
    'set',
    'SET_SIZE',
    [
      ['SET_SLOTS', 4],
      ['SET_SLOT_MASK', 4],
      ['SET_KEY_WORDS', 4],
      ['SET_MASK_COUNT', 4],
      ['SET_MASKS', 4],
    ],
  ],
  [
    'conntrack table',
    'CT_TABLE_SIZE',
    [
      ['CT_TABLE_INDEX', 4],
      ['CT_TABLE_LOW_MASK', 4],
      ['CT_TABLE_LIVE', 4],
      ['CT_TABLE_LIVE_MAX', 4],
      ['CT_TABLE_OVERFLOW', 4],
      ['CT_TABLE_OVERFLOW_END', 4],
      ['CT_TABLE_OVERFLOW_HIGH_WATER', 4],
      ['CT_TABLE_OVERFLOW_FREE', 4],
      ['CT_TABLE_ENTRIES', 4],
      ['CT_TABLE_LIMIT', 4],
      ['CT_TABLE_HIGH_WATER', 4],
      ['CT_TABLE_FREE', 4],
      ['CT_TABLE_COUNT', 4],
      ['CT_TABLE_HAND', 4],
    ],
  ],
  [
    'bucket',
    'BUCKET_SIZE',
    [
      ['BUCKET_TAGS', conntrack.BUCKET_SLOTS * 4],
      ['BUCKET_NEXT', 4],
      ['BUCKET_ENTRIES', conntrack.BUCKET_SLOTS * 4],
    ],
  ],
  [
    'conntrack entry (IPv4)',
    'CT_SIZE_V4',
    [
      ['CT_CLASS', 1],
      ['CT_STATE', 1],
      ['CT_FLAGS', 2],
      ['CT_SERVICE_PORT', 4],
      ['CT_EXPIRES_AT', 8],
      ['CT_STARTED_AT', 8],
      ['CT_PACKETS_ORIGINAL', 4],
      ['CT_PACKETS_REPLY', 4],
      ['CT_SCRATCH', 1],
      ['CT_PATHS', 2],
      ['CT_ORIGINAL', conntrack.CT_REPLY_AFTER_V4 + 2 * layout.ADDRESS_V4 + 4],
    ],
  ],
  ['conntrack entry (IPv6)', 'CT_SIZE_V6', [['CT_ORIGINAL', conntrack.CT_REPLY_AFTER_V6 + 2 * layout.ADDRESS_V6 + 4]]],
  [
    'IPVS namespace',
    'NAMESPACE_SIZE',
    [
      ['NAMESPACE_NOW', 8],
      ['NAMESPACE_SEQUENCE', 8],
      ['NAMESPACE_SYSCTLS', ipvs.SYSCTL_COUNT * 4],
      ['NAMESPACE_CONNTRACK', 4],
      ['NAMESPACE_RANDOM', 4],
      ['NAMESPACE_TCP_TIMEOUTS', ipvs.IPVS_TCP_STATE_COUNT * 4],
      ['NAMESPACE_UDP_TIMEOUT', 4],
      ['NAMESPACE_TIMERS', 4],
      ['NAMESPACE_TIMER_COUNT', 4],
      ['NAMESPACE_TIMER_LIMIT', 4],
      ['NAMESPACE_UNRESERVED', 4],
      ['NAMESPACE_CACHE', 4],
      ['NAMESPACE_CACHE_MASK', 4],
      ['NAMESPACE_CACHE_FREE', 4],
      ['NAMESPACE_CACHE_FREE_COUNT', 4],
      ['NAMESPACE_CONFIRMED', 4],
      ['NAMESPACE_FORESEEING', 4],
      ['NAMESPACE_V4', ipvs.FAMILY_SIZE],
      ['NAMESPACE_V6', ipvs.FAMILY_SIZE],
    ],
  ],
  [
    'IPVS family',
    'FAMILY_SIZE',
    [
      ['FAMILY_BUCKETS', 4],
      ['FAMILY_BUCKET_MASK', 4],
      ['FAMILY_FREE', 4],
      ['FAMILY_FREE_COUNT', 4],
      ['FAMILY_SERVICES', 4],
      ['FAMILY_SERVICE_COUNT', 4],
      ['FAMILY_SERVICE_MASK', 4],
    ],
  ],
  [
    'IPVS service',
    'SERVICE_SIZE',
    [
      ['SERVICE_NEXT', 4],
      ['SERVICE_CLASS', 4],
      ['SERVICE_PORT', 4],
      ['SERVICE_ADDRESS_SIZE', 4],
      ['SERVICE_ADDRESS', 16],
      ['SERVICE_SCHEDULER', 4],
      ['SERVICE_FLAGS', 4],
      ['SERVICE_SERVERS', 4],
      ['SERVICE_SERVER_COUNT', 4],
      ['SERVICE_POSITION', 4],
      ['SERVICE_LEVEL', 4],
      ['SERVICE_TOP_LEVEL', 4],
      ['SERVICE_GCD', 4],
      ['SERVICE_TABLE', 4],
      ['SERVICE_TIMEOUT', 4],
      ['SERVICE_BOUND_AT', 8],
      ['SERVICE_MASK', 16],
      ['SERVICE_TAG', 4],
      ['SERVICE_IS_STALE', 4],
    ],
  ],
  [
    'IPVS server',
    'SERVER_SIZE',
    [
      ['SERVER_WEIGHT', 4],
      ['SERVER_LAST_WEIGHT', 4],
      ['SERVER_UPPER', 4],
      ['SERVER_LOWER', 4],
      ['SERVER_TOTAL', 4],
      ['SERVER_ACTIVE', 4],
      ['SERVER_FLAGS', 4],
      ['SERVER_REFERENCES', 4],
      ['SERVER_ADDRESS', 16],
      ['SERVER_PORT', 4],
      ['SERVER_MAGLEV_AT', 4],
      ['SERVER_MAGLEV_SKIP', 4],
      ['SERVER_MAGLEV_TURNS', 4],
    ],
  ],
  [
    'IPVS connection (IPv4)',
    'CONN_SIZE_V4',
    [
      ['CONN_CLASS', 1],
      ['CONN_STATE', 1],
      ['CONN_FLAGS', 1],
      ['CONN_CONNTRACK_STATE', 1],
      ['CONN_SERVER', 4],
      ['CONN_EXPIRES_AT', 8],
      ['CONN_SEQUENCE', 8],
      ['CONN_CONTROL', 4],
      ['CONN_TIMER', 4],
      ['CONN_CONNTRACK_END', 8],
      ['CONN_CLIENT_TUPLE', 2 * (2 * layout.ADDRESS_V4 + 4)],
    ],
  ],
  ['IPVS connection (IPv6)', 'CONN_SIZE_V6', [['CONN_CLIENT_TUPLE', 2 * (2 * layout.ADDRESS_V6 + 4)]]],
  [
    'IPVS timer',
    'TIMER_SIZE',
    [
      ['TIMER_AT', 8],
      ['TIMER_CONN', 4],
      ['TIMER_ORDER', 4],
    ],
  ],
  [
    'node of the destination cache',
    'CACHE_NODE_SIZE',
    [
      ['CACHE_NEXT', 4],
      ['CACHE_SERVICE', 4],
      ['CACHE_LAST_USE', 8],
      ['CACHE_LAST_CHANGE', 8],
      ['CACHE_SERVER', 4],
      ['CACHE_MEMBERS', 4],
      ['CACHE_ADDRESS', 16],
    ],
  ],
  [
    'IPVS verdict',
    'IPVS_VERDICT_SIZE',
    [
      ['IPVS_VERDICT_ACTION', 2],
      ['IPVS_VERDICT_BY', 2],
      ['IPVS_VERDICT_PORT', 4],
      ['IPVS_VERDICT_SERVER', 4],
      ['IPVS_VERDICT_SERVICE', 4],
      ['IPVS_VERDICT_ADDRESS', 16],
    ],
  ],
];

describe.each(records)('the %s record', (_, sizeName, fields) => {
  test('has a size that is a multiple of 4', () => {
    expect((constants[sizeName] ?? 1) % 4).toBe(0);
  });

  test('has fields that do not overlap and end inside it', () => {
    const spans = fields.map(([name, width]) => [constants[name] ?? -1, width] as const).sort(([a], [b]) => a - b);
    let end = 0;
    for (const [offset, width] of spans) {
      expect(offset).toBeGreaterThanOrEqual(end);
      end = offset + width;
    }
    expect(end).toBeLessThanOrEqual(constants[sizeName] ?? 0);
  });
});

describe('the layout', () => {
  test('has packet and verdict records that hold two addresses and their fields', () => {
    for (const [packet, verdict, address] of [
      [layout.PACKET_SIZE_V4, layout.VERDICT_SIZE_V4, layout.ADDRESS_V4],
      [layout.PACKET_SIZE_V6, layout.VERDICT_SIZE_V6, layout.ADDRESS_V6],
    ] as const) {
      expect(packet).toBe(2 * address + layout.PACKET_MARK + 4);
      expect(verdict).toBe(layout.VERDICT_SOURCE + 2 * address);
    }
  });

  test('has the same version in the library and in the core', () => {
    expect(() => startCoreSync(embeddedCore())).not.toThrow();
  });

  test('refuses a core of another version', () => {
    const stale = coreOfVersion(layout.LAYOUT_VERSION + 1);
    expect(() => startCoreSync(stale)).toThrow(`layout version ${layout.LAYOUT_VERSION + 1}, the library ${layout.LAYOUT_VERSION}`);
  });

  test('puts the flags of an IPVS packet where a packet record has its hook', () => {
    expect(ipvs.IPVS_PACKET_FLAGS).toBe(layout.PACKET_HOOK);
  });

  test('has distinct bits for the states of a connection', () => {
    const flags = Object.entries(constants).filter(([name]) => name.startsWith('STATE_BIT_') || name.startsWith('CT_FLAG_'));
    for (const prefix of ['STATE_BIT_', 'CT_FLAG_']) {
      const bits = flags.filter(([name]) => name.startsWith(prefix)).map(([, bit]) => bit);
      expect(new Set(bits).size).toBe(bits.length);
    }
  });
});

/** A module that says its version and nothing else: `(func (export "layoutVersion") (result i32) (i32.const VERSION))`. */
function coreOfVersion(version: number): Uint8Array<ArrayBuffer> {
  const types = [0x01, 5, 1, 0x60, 0, 1, 0x7f];
  const functions = [0x03, 2, 1, 0];
  const exports = [0x07, 17, 1, 13, ...Buffer.from('layoutVersion'), 0, 0];
  const code = [0x0a, 6, 1, 4, 0, 0x41, version, 0x0b];
  return new Uint8Array([...Buffer.from('\0asm'), 1, 0, 0, 0, ...types, ...functions, ...exports, ...code]);
}
