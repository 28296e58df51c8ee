// Frames of established connections, each in a slot of one cache line: plain Ethernet, IPv4 without options, TCP. Parsed, decided, copied to
// the transmit ring and rewritten there, checksums and counters included.
#pragma once
#include "established.h"

/** Two bytes, then the frame: addresses and ports lie on words. */
typedef union {
  uint8_t bytes[64];
  uint16_t halves[32];
  uint32_t words[16];
} Slot;

#define ETHERTYPE_HALF 7
#define IP_BYTE 16
#define IP_HALF 8
#define TOTAL_LENGTH_HALF 9
#define FRAGMENT_HALF 11
#define PROTOCOL_BYTE 25
#define IP_CHECKSUM_HALF 13
#define TUPLE_WORD 7
#define DATA_OFFSET_BYTE 48
#define TCP_FLAGS_BYTE 49
#define TCP_CHECKSUM_HALF 26
#define ETHERNET 14
#define HEADERS 40

/** Packets and bytes by Service and direction. */
static uint64_t (*traffic)[2][2];

static uint32_t total_length(const Slot *slot) { return __builtin_bswap16(slot->halves[TOTAL_LENGTH_HALF]); }

static int is_plain(const Slot *slot, uint32_t length) {
  if (slot->halves[ETHERTYPE_HALF] != 0x0008 || slot->bytes[IP_BYTE] != 0x45 || length < ETHERNET + HEADERS) return 0;
  uint32_t total = total_length(slot);
  if (total < HEADERS || total > length - ETHERNET || (slot->halves[FRAGMENT_HALF] & 0xff3f) != 0) return 0;
  if (slot->bytes[PROTOCOL_BYTE] != 6 || slot->bytes[DATA_OFFSET_BYTE] < 0x50) return 0;
  uint32_t sum = 0;
  for (int half = IP_HALF; half < IP_HALF + 10; half++) sum += slot->halves[half];
  return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static inline uint32_t change_of(uint32_t before, uint32_t after) {
  return (~before & 0xffff) + (~before >> 16) + (after & 0xffff) + (after >> 16);
}

static inline uint16_t changed(uint16_t checksum, uint32_t change) {
  uint32_t sum = (uint16_t)~checksum + change;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/** The copy, with the other direction's tuple turned round. */
static inline void leave(const Slot *slot, Slot *out, const Tuple *other) {
  const uint32_t source = other->destination[0], destination = other->source[0], ports = other->ports << 16 | other->ports >> 16;
  const uint32_t *tuple = slot->words + TUPLE_WORD;
  uint32_t addresses = change_of(tuple[0], source) + change_of(tuple[1], destination);
  *out = *slot;
  out->words[TUPLE_WORD] = source;
  out->words[TUPLE_WORD + 1] = destination;
  out->words[TUPLE_WORD + 2] = ports;
  out->halves[IP_CHECKSUM_HALF] = changed(slot->halves[IP_CHECKSUM_HALF], addresses);
  out->halves[TCP_CHECKSUM_HALF] = changed(slot->halves[TCP_CHECKSUM_HALF], addresses + change_of(tuple[2], ports));
}

static int process_frame(const Slot *slot, Slot *out, uint32_t reference, uint64_t hash, double now) {
  reference = confirmed(slot->words + TUPLE_WORD, reference, hash);
  if (!update(reference, TCP, slot->bytes[TCP_FLAGS_BYTE], now)) return 0;
  const Entry *entry = &entries[reference & ~REPLY];
  uint32_t is_reply = reference >> 31;
  leave(slot, out, &entry->tuples[1 - is_reply]);
  if (entry->service_port != NOT_FOUND) {
    traffic[entry->service_port][is_reply][0]++;
    traffic[entry->service_port][is_reply][1] += total_length(slot);
  }
  return 1;
}

/** How many frames left. */
static uint32_t run_frames(const Slot *slots, const uint32_t *lengths, uint32_t count, Slot *out, double now, int prefetches) {
  uint64_t hashes[GROUP];
  uint32_t references[GROUP];
  uint32_t left = 0;
  for (uint32_t first = 0; first < count; first += GROUP) {
    uint32_t group = count - first < GROUP ? count - first : GROUP;
    const Slot *slot = slots + first;
    for (uint32_t i = 0; i < group; i++) {
      hashes[i] = hash_of(slot[i].words + TUPLE_WORD);
      if (prefetches) __builtin_prefetch(bucket_of(hashes[i]), 1);
    }
    for (uint32_t i = 0; prefetches && i < group; i++) references[i] = look_up(slot[i].words + TUPLE_WORD, hashes[i]);
    for (uint32_t i = 0; i < group; i++) {
      if (!is_plain(&slot[i], lengths[first + i])) continue;
      uint32_t reference = prefetches ? references[i] : find(slot[i].words + TUPLE_WORD, hashes[i]);
      left += process_frame(&slot[i], out + left, reference, hashes[i], now);
    }
  }
  return left;
}
