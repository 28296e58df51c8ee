// The native reference: conntrack's fast path in C on the same packet and verdict records and the same kind of table as the core's
// (a line of tags and entry numbers a bucket, a line an entry), with and without prefetch. Established connections only, of one
// family: native.ts opens them with the twin. Built on demand by build.ts; not part of the package.
#include <node_api.h>
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
#define ESTABLISHED 3
#define ACK 16
#define KIND_FLAGS 0x17
#define ESTABLISHED_MS 86400000.0

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
  uint32_t next_free, scratch;
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

static void index_tuple(const Tuple *tuple, uint32_t reference) {
  uint64_t hash = hash_of((const uint32_t *)tuple);
  Bucket *bucket = bucket_of(hash);
  for (;;) {
    for (int slot = 0; slot < SLOTS; slot++) {
      if (bucket->tags[slot] != 0) continue;
      bucket->tags[slot] = (uint32_t)hash | 1;
      bucket->entries[slot] = reference;
      return;
    }
    bucket->passed++;
    bucket = &buckets[(uint32_t)(bucket - buckets + 1) & bucket_mask];
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
    bucket = &buckets[(uint32_t)(bucket - buckets + 1) & bucket_mask];
  }
}

/** The reference whose tuple is the packet's in full, from one whose tag is. */
static inline uint32_t confirmed(const uint32_t *packet, uint32_t reference, uint64_t hash) {
  if (reference == NOT_FOUND || memcmp(&entries[reference & ~REPLY].tuples[reference >> 31], packet, sizeof(Tuple)) == 0) return reference;
  return find(packet, hash);
}

/** State, timer and counters of one more packet of an established connection; 0: it is none. */
static inline int update(const uint32_t *packet, uint32_t reference, double now) {
  if (reference == NOT_FOUND) return 0;
  Entry *entry = &entries[reference & ~REPLY];
  if (entry->class != packet[CLASS_WORD] || entry->state != ESTABLISHED || entry->expires_at <= now) return 0;
  if ((packet[FLAGS_WORD] & KIND_FLAGS) != ACK) return 0;
  entry->expires_at = now + ESTABLISHED_MS;
  entry->packets[reference >> 31]++;
  return 1;
}

static inline void answer(uint32_t *verdict, uint32_t reference) {
  const Entry *entry = &entries[reference & ~REPLY];
  uint32_t is_reply = reference >> 31;
  const Tuple *other = &entry->tuples[1 - is_reply];
  uint32_t is_dnat = (entry->flags & 8) != 0 && !is_reply;
  verdict[0] = (1 + is_dnat) | ((2 + is_reply) << 8);
  verdict[1] = entry->service_port;
  verdict[2] = 0;
  verdict[3] = (other->ports << 16) | (other->ports >> 16);
  memcpy(verdict + 4, other->destination, sizeof other->destination);
  memcpy(verdict + 4 + ADDRESS_WORDS, other->source, sizeof other->source);
}

static inline int pass(const uint32_t *packet, uint32_t *verdict, uint32_t reference, uint64_t hash, double now) {
  reference = confirmed(packet, reference, hash);
  if (!update(packet, reference, now)) return 0;
  answer(verdict, reference);
  return 1;
}

static inline void hash_group(const uint32_t *packet, uint32_t group, uint64_t *hashes, int prefetches) {
  for (uint32_t i = 0; i < group; i++) {
    hashes[i] = hash_of(packet + i * RECORD_WORDS);
    if (prefetches) __builtin_prefetch(bucket_of(hashes[i]), 1);
  }
}

static inline void touch(uint32_t reference) {
  const char *entry = (const char *)&entries[reference & ~REPLY];
  for (unsigned line = 0; line < sizeof(Entry); line += 64) __builtin_prefetch(entry + line, 1);
}

/** By the tag alone: the entry is on its way into the cache when its tuple is looked at. */
static inline void look_up_group(const uint32_t *packet, uint32_t group, const uint64_t *hashes, uint32_t *references) {
  for (uint32_t i = 0; i < group; i++) {
    Bucket *bucket = bucket_of(hashes[i]);
    uint32_t slots = slots_with(bucket, (uint32_t)hashes[i] | 1);
    references[i] = slots == 0 ? find(packet + i * RECORD_WORDS, hashes[i]) : bucket->entries[__builtin_ctz(slots)];
    if (references[i] != NOT_FOUND) touch(references[i]);
  }
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
      else sum += update(one, confirmed(one, references[i], hashes[i]), now);
    }
  }
  return sum;
}

static uint32_t number(napi_env env, napi_value value) {
  uint32_t result = 0;
  napi_get_value_uint32(env, value, &result);
  return result;
}

static uint32_t *words(napi_env env, napi_value value) {
  void *data = NULL;
  napi_get_typedarray_info(env, value, NULL, NULL, &data, NULL, NULL);
  return data;
}

/** create(flows): an empty table for as many. */
static napi_value js_create(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  uint32_t flows = number(env, argv[0]);
  uint32_t count = 16;
  while (count * 3 < flows * 2) count *= 2; // two tuples a flow, three a bucket: as the core
  buckets = aligned_alloc(64, (size_t)count * 64);
  entries = aligned_alloc(64, ((size_t)flows + 1) * sizeof(Entry));
  memset(buckets, 0, (size_t)count * 64);
  memset(entries, 0, ((size_t)flows + 1) * sizeof(Entry));
  bucket_mask = count - 1;
  entry_count = 0;
  return NULL;
}

/** insert(words of both tuples, is translated, expires at): an established connection. */
static napi_value js_insert(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  Entry *entry = &entries[entry_count];
  memcpy(entry->tuples, words(env, argv[0]), sizeof entry->tuples);
  entry->class = 1;
  entry->state = ESTABLISHED;
  entry->flags = 3 | (number(env, argv[1]) != 0 ? 8 : 0);
  napi_get_value_double(env, argv[2], &entry->expires_at);
  index_tuple(&entry->tuples[0], entry_count);
  index_tuple(&entry->tuples[1], entry_count | REPLY);
  entry_count++;
  return NULL;
}

/** process(packets, verdicts, count, now, prefetches): how many were packets of established connections. */
static napi_value js_process(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value argv[5], result;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  double now;
  napi_get_value_double(env, argv[3], &now);
  uint32_t passed = run(words(env, argv[0]), words(env, argv[1]), number(env, argv[2]), now, (int)number(env, argv[4]));
  napi_create_uint32(env, passed, &result);
  return result;
}

/** processParts(packets, count, now, parts): see run_parts. */
static napi_value js_process_parts(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4], result;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  double now;
  napi_get_value_double(env, argv[2], &now);
  napi_create_uint32(env, run_parts(words(env, argv[0]), number(env, argv[1]), now, number(env, argv[3])), &result);
  return result;
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {{"create", js_create}, {"insert", js_insert}, {"process", js_process}, {"processParts", js_process_parts}};
  for (int i = 0; i < 4; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
