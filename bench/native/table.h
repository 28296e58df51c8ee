// The table of connections: a line of tags and entry numbers a bucket, a line an entry (two with IPv6), as the core has it.
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifndef ADDRESS_WORDS
#define ADDRESS_WORDS 1 // 4: IPv6
#endif
#define TUPLE_WORDS (2 * ADDRESS_WORDS + 1)
// Of records of packets and verdicts, as PACKET_LAYOUT and VERDICT_LAYOUT say.
#define RECORD_WORDS (ADDRESS_WORDS == 1 ? 6 : 12)
#define CLASS_WORD TUPLE_WORDS
#define FLAGS_WORD (TUPLE_WORDS + 1)

#define GROUP 64
#define SLOTS 7
#define REPLY 0x80000000u
#define NOT_FOUND 0xffffffffu
// Of an entry: its class, and its flags.
#define TCP 1
#define SEEN_AND_ASSURED 3
#define IS_DNAT 8

typedef struct {
  uint32_t tags[SLOTS];
  uint32_t passed;
  uint32_t entries[SLOTS];
  uint32_t scratch;
} Bucket;

typedef struct {
  uint32_t source[ADDRESS_WORDS], destination[ADDRESS_WORDS], ports;
} Tuple;

typedef struct {
  uint8_t class, state;
  uint16_t flags;
  uint32_t service_port;
  double expires_at, started_at;
  uint32_t scratch[2];
  uint32_t packets[2];
  Tuple tuples[2];
#if ADDRESS_WORDS == 4
  uint32_t unused[4];
#endif
} Entry;

_Static_assert(sizeof(Bucket) == 64, "a bucket is a cache line");
_Static_assert(sizeof(Entry) == (ADDRESS_WORDS == 1 ? 64 : 128), "an entry is a cache line, or two");

static Bucket *buckets;
static Entry *entries;
static uint32_t bucket_mask, entry_count;
/** Entries that were given back, the last one on top. */
static uint32_t *free_entries, free_count;

static void create_table(uint32_t flows) {
  uint32_t count = 16;
  while (count * 3 < flows * 2) count *= 2; // two tuples a flow, three a bucket: as the core
  buckets = aligned_alloc(64, (size_t)count * 64);
  entries = aligned_alloc(64, ((size_t)flows + 1) * sizeof(Entry));
  free_entries = malloc(((size_t)flows + 1) * sizeof(uint32_t));
  memset(buckets, 0, (size_t)count * 64);
  memset(entries, 0, ((size_t)flows + 1) * sizeof(Entry));
  bucket_mask = count - 1;
  entry_count = 0;
  free_count = 0;
}

static inline uint32_t take_entry(void) { return free_count > 0 ? free_entries[--free_count] : entry_count++; }

static inline uint64_t hash_of(const uint32_t *tuple) {
  uint64_t b = (1ull << 32) | tuple[TUPLE_WORDS - 1];
  b = (b << 32) | (b >> 32);
  uint64_t x = b * 0xc2b2ae3d27d4eb4full;
  uint64_t addresses[ADDRESS_WORDS];
  memcpy(addresses, tuple, sizeof addresses);
  for (int i = 0; i < ADDRESS_WORDS; i++) x = (x << 7 | x >> 57) ^ (addresses[i] * 0x9e3779b97f4a7c15ull);
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9ull;
  return x ^ (x >> 32);
}

static inline Bucket *bucket_of(uint64_t hash) { return &buckets[(uint32_t)(hash >> 32) & bucket_mask]; }

static inline uint32_t slots_with(const Bucket *bucket, uint32_t tag) {
#ifdef __SSE2__
  __m128i wanted = _mm_set1_epi32((int)tag);
  __m128i front = _mm_cmpeq_epi32(_mm_load_si128((const __m128i *)bucket->tags), wanted);
  __m128i back = _mm_cmpeq_epi32(_mm_load_si128((const __m128i *)(bucket->tags + 4)), wanted);
  return ((uint32_t)_mm_movemask_ps(_mm_castsi128_ps(front)) | ((uint32_t)_mm_movemask_ps(_mm_castsi128_ps(back)) << 4)) & 0x7f;
#else
  uint32_t found = 0;
  for (int slot = 0; slot < SLOTS; slot++) found |= (uint32_t)(bucket->tags[slot] == tag) << slot;
  return found;
#endif
}

static inline Bucket *next_bucket(const Bucket *bucket) { return &buckets[(uint32_t)(bucket - buckets + 1) & bucket_mask]; }

static void index_tuple(uint64_t hash, uint32_t reference) {
  Bucket *bucket = bucket_of(hash);
  for (;;) {
    uint32_t free = slots_with(bucket, 0);
    if (free != 0) {
      uint32_t slot = (uint32_t)__builtin_ctz(free);
      bucket->tags[slot] = (uint32_t)hash | 1;
      bucket->entries[slot] = reference;
      return;
    }
    bucket->passed++;
    bucket = next_bucket(bucket);
  }
}

static void unindex_tuple(uint64_t hash, uint32_t reference) {
  Bucket *bucket = bucket_of(hash);
  for (;;) {
    for (int slot = 0; slot < SLOTS; slot++) {
      if (bucket->tags[slot] == 0 || bucket->entries[slot] != reference) continue;
      bucket->tags[slot] = 0;
      return;
    }
    bucket->passed--;
    bucket = next_bucket(bucket);
  }
}

/** The reference of a packet's tuple, looked at in full. */
static uint32_t find(const uint32_t *packet, uint64_t hash) {
  Bucket *bucket = bucket_of(hash);
  for (;;) {
    for (uint32_t slots = slots_with(bucket, (uint32_t)hash | 1); slots != 0; slots &= slots - 1) {
      uint32_t reference = bucket->entries[__builtin_ctz(slots)];
      if (memcmp(&entries[reference & ~REPLY].tuples[reference >> 31], packet, sizeof(Tuple)) == 0) return reference;
    }
    if (bucket->passed == 0) return NOT_FOUND;
    bucket = next_bucket(bucket);
  }
}

/** The reference whose tuple is the packet's in full, from one whose tag is. */
static inline uint32_t confirmed(const uint32_t *packet, uint32_t reference, uint64_t hash) {
  if (reference == NOT_FOUND || memcmp(&entries[reference & ~REPLY].tuples[reference >> 31], packet, sizeof(Tuple)) == 0) return reference;
  return find(packet, hash);
}

static inline void touch(uint32_t reference) {
  const char *entry = (const char *)&entries[reference & ~REPLY];
  for (unsigned line = 0; line < sizeof(Entry); line += 64) __builtin_prefetch(entry + line, 1);
}

