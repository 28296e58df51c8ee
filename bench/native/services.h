// Services as a chain of rules, scanned to the first that matches, or behind a hash, and how a backend is chosen. IPv4.
#pragma once
#include "table.h"

/** Rows that are compared before anybody looks whether one of them matched: the compiler makes vectors of them. */
#define ROWS 64

/** Columns of a row each, padded with rows that match nothing. Addresses and ports as they lie in a packet, ports of ranges as numbers. */
static const uint32_t *networks, *masks, *ports;
static const int32_t *first_ports, *last_ports;
static uint32_t row_count, service_count;
/** Where the backends of a Service begin, with an end behind the last one; and the backends of all Services in a row. */
static const uint32_t *backends_from, *backends, *backend_ports;
static uint32_t *turns;
/** By Service MAGLEV_SLOTS numbers of its backends; NULL: round robin. */
static const uint16_t *maglev_slots;
/** Open addressing: number of a Service + 1, 0 is free. */
static uint32_t *service_slots, service_mask;

static inline uint32_t hash_service(uint32_t destination, uint32_t port) {
  uint32_t hash = destination * 0x9e3779b1u ^ port * 0x85ebca6bu;
  return hash ^ (hash >> 15);
}

static void hash_services(void) {
  uint32_t size = 16;
  while (size < service_count * 2) size *= 2;
  free(service_slots);
  service_slots = calloc(size, sizeof(uint32_t));
  service_mask = size - 1;
  for (uint32_t service = 0; service < service_count; service++) {
    uint32_t slot = hash_service(networks[service], ports[service]) & service_mask;
    while (service_slots[slot] != 0) slot = (slot + 1) & service_mask;
    service_slots[slot] = service + 1;
  }
}

static uint32_t look_up_service(uint32_t destination, uint32_t port) {
  for (uint32_t slot = hash_service(destination, port) & service_mask;; slot = (slot + 1) & service_mask) {
    uint32_t service = service_slots[slot] - 1;
    if (service == NOT_FOUND || (networks[service] == destination && ports[service] == port)) return service;
  }
}

static uint32_t scan_exact(uint32_t destination, uint32_t port) {
  for (size_t from = 0; from < row_count; from += ROWS) {
    uint32_t found = 0;
    for (size_t row = from; row < from + ROWS; row++) found |= networks[row] == destination;
    if (found == 0) continue;
    for (size_t row = from; row < from + ROWS; row++)
      if (networks[row] == destination && ports[row] == port) return (uint32_t)row;
  }
  return NOT_FOUND;
}

static inline uint32_t is_inside(size_t row, uint32_t destination, int32_t port) {
  return ((destination & masks[row]) == networks[row]) & (port >= first_ports[row]) & (port <= last_ports[row]);
}

static uint32_t scan_masked(uint32_t destination, int32_t port) {
  for (size_t from = 0; from < row_count; from += ROWS) {
    uint32_t found = 0;
    for (size_t row = from; row < from + ROWS; row++) found |= is_inside(row, destination, port);
    if (found == 0) continue;
    for (size_t row = from; row < from + ROWS; row++)
      if (is_inside(row, destination, port)) return (uint32_t)row;
  }
  return NOT_FOUND;
}

/** SipHash-1-3 of a word under the first key of ip_vs_mh. */
static uint32_t sip_hash(uint32_t value) {
  const uint64_t key = 2654435761u, tail = 4ull << 56 | value;
  uint64_t v0 = 0x736f6d6570736575ull ^ key, v1 = 0x646f72616e646f6dull ^ key;
  uint64_t v2 = 0x6c7967656e657261ull ^ key, v3 = 0x7465646279746573ull ^ key ^ tail;
  for (int round = 0; round < 4; round++) {
    if (round == 1) v0 ^= tail, v2 ^= 0xff;
    v0 += v1, v1 = (v1 << 13 | v1 >> 51) ^ v0, v0 = v0 << 32 | v0 >> 32;
    v2 += v3, v3 = (v3 << 16 | v3 >> 48) ^ v2;
    v0 += v3, v3 = (v3 << 21 | v3 >> 43) ^ v0;
    v2 += v1, v1 = (v1 << 17 | v1 >> 47) ^ v2, v2 = v2 << 32 | v2 >> 32;
  }
  return (uint32_t)(v0 ^ v1 ^ v2 ^ v3);
}

/** The number of the backend that a packet of a Service goes to. */
static uint32_t choose_backend(const uint32_t *packet, uint32_t service) {
  if (maglev_slots != NULL) {
    uint32_t key = __builtin_bswap32(packet[0]) + __builtin_bswap16((uint16_t)packet[2]);
    return backends_from[service] + maglev_slots[service * MAGLEV_SLOTS + sip_hash(key) % MAGLEV_SLOTS];
  }
  uint32_t turn = turns[service];
  turns[service] = backends_from[service] + turn + 1 == backends_from[service + 1] ? 0 : turn + 1;
  return backends_from[service] + turn;
}
