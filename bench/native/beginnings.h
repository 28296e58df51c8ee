// Packets that begin connections, and those that take such a beginning back: a Service is found, a backend chosen, both tuples entered. IPv4.
#pragma once
#include "established.h"
#include "services.h"

#define SYN 2
#define RST 4
#define SYN_SENT 1
#define SYN_SENT_MS 120000.0

enum finder { LOOK_UP, SCAN_EXACT, SCAN_MASKED };

/** What a packet that is not known yet will begin. */
typedef struct {
  Tuple reply;
  uint64_t reply_hash;
  uint32_t service, entry;
} Beginning;

static inline uint32_t find_service(const uint32_t *packet, enum finder finder) {
  uint32_t destination = packet[1], port = packet[2] >> 16;
  if (finder == SCAN_EXACT) return scan_exact(destination, port);
  if (finder == SCAN_MASKED) return scan_masked(destination, __builtin_bswap16((uint16_t)port));
  return look_up_service(destination, port);
}

static void plan(const uint32_t *packet, enum finder finder, Beginning *beginning) {
  uint32_t service = find_service(packet, finder), port = packet[2] & 0xffff;
  beginning->service = service;
  beginning->reply.destination[0] = packet[0];
  if (service == NOT_FOUND) {
    beginning->reply.source[0] = packet[1];
    beginning->reply.ports = packet[2] >> 16 | port << 16;
  } else {
    uint32_t backend = choose_backend(packet, service);
    beginning->reply.source[0] = backends[backend];
    beginning->reply.ports = backend_ports[backend] | port << 16;
  }
  beginning->reply_hash = hash_of((const uint32_t *)&beginning->reply);
  beginning->entry = take_entry();
}

/** Returns 0 when the reply's tuple is taken, which no workload has. */
static int begin(const uint32_t *packet, uint64_t hash, const Beginning *beginning, double now) {
  if (find((const uint32_t *)&beginning->reply, beginning->reply_hash) != NOT_FOUND) return 0;
  Entry *entry = &entries[beginning->entry];
  entry->class = (uint8_t)packet[CLASS_WORD];
  entry->state = SYN_SENT;
  entry->flags = SEEN_AND_ASSURED | (beginning->service == NOT_FOUND ? 0 : IS_DNAT);
  entry->service_port = beginning->service;
  entry->started_at = now;
  entry->expires_at = now + SYN_SENT_MS;
  entry->packets[0] = 1;
  entry->packets[1] = 0;
  memcpy(&entry->tuples[0], packet, sizeof(Tuple));
  entry->tuples[1] = beginning->reply;
  index_tuple(hash, beginning->entry);
  index_tuple(beginning->reply_hash, beginning->entry | REPLY);
  return 1;
}

/** The client takes back what nobody has answered. */
static void take_back(uint32_t number, uint64_t hash) {
  Entry *entry = &entries[number];
  unindex_tuple(hash, number);
  unindex_tuple(hash_of((const uint32_t *)&entry->tuples[1]), number | REPLY);
  entry->state = 0;
  free_entries[free_count++] = number;
}

/** Begins what is not known; the rest of a handshake, and RST, belong to what is. Returns whether a connection began. */
static int finish(const uint32_t *packet, uint32_t *verdict, uint32_t reference, uint64_t hash, const Beginning *beginning, double now) {
  if (reference == NOT_FOUND) {
    if (packet[FLAGS_WORD] != SYN || !begin(packet, hash, beginning, now)) return 0;
    answer(verdict, beginning->entry);
    verdict[0] -= 1 << 8;
    return 1;
  }
  Entry *entry = &entries[reference & ~REPLY];
  entry->packets[reference >> 31]++;
  if (packet[FLAGS_WORD] == ACK) {
    entry->state = ESTABLISHED;
    entry->expires_at = now + ESTABLISHED_MS;
  }
  answer(verdict, reference);
  if (packet[FLAGS_WORD] == RST && entry->packets[1] == 0) take_back(reference & ~REPLY, hash);
  return 0;
}

/** How many connections began. */
static uint32_t run_beginnings(const uint32_t *packets, uint32_t *verdicts, uint32_t count, double now, int prefetches, enum finder finder) {
  uint64_t hashes[GROUP];
  uint32_t references[GROUP];
  Beginning beginnings[GROUP];
  uint32_t began = 0;
  uint32_t size = prefetches ? GROUP : 1;
  for (uint32_t first = 0; first < count; first += size) {
    uint32_t group = count - first < size ? count - first : size;
    const uint32_t *packet = packets + first * RECORD_WORDS;
    uint32_t *verdict = verdicts + first * RECORD_WORDS;
    hash_group(packet, group, hashes, prefetches);
    for (uint32_t i = 0; i < group; i++) {
      const uint32_t *one = packet + i * RECORD_WORDS;
      references[i] = find(one, hashes[i]);
      if (references[i] != NOT_FOUND) continue;
      plan(one, finder, &beginnings[i]);
      if (!prefetches) continue;
      __builtin_prefetch(bucket_of(beginnings[i].reply_hash), 1);
      touch(beginnings[i].entry);
    }
    for (uint32_t i = 0; i < group; i++)
      began += finish(packet + i * RECORD_WORDS, verdict + i * RECORD_WORDS, references[i], hashes[i], &beginnings[i], now);
  }
  return began;
}
