// Packets of established connections: look-up, state, timer, counters and verdict, with and without prefetch.
#pragma once
#include "table.h"

#define ESTABLISHED 3
#define ACK 16
#define KIND_FLAGS 0x17
#define ESTABLISHED_MS 86400000.0

/** State, timer and counters of one more packet of an established connection; 0: it is none. */
static inline int update(uint32_t reference, uint32_t class, uint32_t flags, double now) {
  if (reference == NOT_FOUND) return 0;
  Entry *entry = &entries[reference & ~REPLY];
  if (entry->class != class || entry->state != ESTABLISHED || entry->expires_at <= now) return 0;
  if ((flags & KIND_FLAGS) != ACK) return 0;
  entry->expires_at = now + ESTABLISHED_MS;
  entry->packets[reference >> 31]++;
  return 1;
}

static inline void answer(uint32_t *verdict, uint32_t reference) {
  const Entry *entry = &entries[reference & ~REPLY];
  uint32_t is_reply = reference >> 31;
  const Tuple *other = &entry->tuples[1 - is_reply];
  uint32_t is_dnat = (entry->flags & IS_DNAT) != 0 && !is_reply;
  verdict[0] = (1 + is_dnat) | ((2 + is_reply) << 8);
  verdict[1] = entry->service_port;
  verdict[2] = 0;
  verdict[3] = (other->ports << 16) | (other->ports >> 16);
  memcpy(verdict + 4, other->destination, sizeof other->destination);
  memcpy(verdict + 4 + ADDRESS_WORDS, other->source, sizeof other->source);
}

static inline int pass(const uint32_t *packet, uint32_t *verdict, uint32_t reference, uint64_t hash, double now) {
  reference = confirmed(packet, reference, hash);
  if (!update(reference, packet[CLASS_WORD], packet[FLAGS_WORD], now)) return 0;
  answer(verdict, reference);
  return 1;
}

static inline void hash_group(const uint32_t *packet, uint32_t group, uint64_t *hashes, int prefetches) {
  for (uint32_t i = 0; i < group; i++) {
    hashes[i] = hash_of(packet + i * RECORD_WORDS);
    if (prefetches) __builtin_prefetch(bucket_of(hashes[i]), 1);
  }
}

/** By the tag alone: the entry is on its way into the cache when its tuple is looked at. */
static inline uint32_t look_up(const uint32_t *tuple, uint64_t hash) {
  const Bucket *bucket = bucket_of(hash);
  uint32_t slots = slots_with(bucket, (uint32_t)hash | 1);
  uint32_t reference = slots == 0 ? find(tuple, hash) : bucket->entries[__builtin_ctz(slots)];
  if (reference != NOT_FOUND) touch(reference);
  return reference;
}

static inline void look_up_group(const uint32_t *packet, uint32_t group, const uint64_t *hashes, uint32_t *references) {
  for (uint32_t i = 0; i < group; i++) references[i] = look_up(packet + i * RECORD_WORDS, hashes[i]);
}

static uint32_t run(const uint32_t *packets, uint32_t *verdicts, uint32_t count, double now, int prefetches) {
  uint64_t hashes[GROUP];
  uint32_t references[GROUP];
  uint32_t passed = 0;
  for (uint32_t first = 0; first < count; first += GROUP) {
    uint32_t group = count - first < GROUP ? count - first : GROUP;
    const uint32_t *packet = packets + first * RECORD_WORDS;
    uint32_t *verdict = verdicts + first * RECORD_WORDS;
    hash_group(packet, group, hashes, prefetches);
    if (prefetches) look_up_group(packet, group, hashes, references);
    for (uint32_t i = 0; i < group; i++) {
      const uint32_t *one = packet + i * RECORD_WORDS;
      uint32_t reference = prefetches ? references[i] : find(one, hashes[i]);
      passed += pass(one, verdict + i * RECORD_WORDS, reference, hashes[i], now);
    }
  }
  return passed;
}

/** The same with prefetch, but only the first parts of the work: 1 hash, 2 and look-up, 3 and state, timer, counters. */
static uint32_t run_parts(const uint32_t *packets, uint32_t count, double now, uint32_t parts) {
  uint64_t hashes[GROUP];
  uint32_t references[GROUP];
  uint32_t sum = 0;
  for (uint32_t first = 0; first < count; first += GROUP) {
    uint32_t group = count - first < GROUP ? count - first : GROUP;
    const uint32_t *packet = packets + first * RECORD_WORDS;
    hash_group(packet, group, hashes, parts > 1);
    if (parts > 1) look_up_group(packet, group, hashes, references);
    for (uint32_t i = 0; i < group; i++) {
      const uint32_t *one = packet + i * RECORD_WORDS;
      if (parts == 1) sum ^= (uint32_t)hashes[i];
      else if (parts == 2) sum += confirmed(one, references[i], hashes[i]) != NOT_FOUND;
      else sum += update(confirmed(one, references[i], hashes[i]), one[CLASS_WORD], one[FLAGS_WORD], now);
    }
  }
  return sum;
}

