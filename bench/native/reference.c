// The native reference: what the core does with established connections, with beginnings of connections and with frames, in C on the same
// records and the same kind of table, with and without prefetch. It does what the workloads ask and no more: no chains but one, no timers by
// which entries leave, no growth. native.ts opens connections with the twin. Built on demand by build.ts; not part of the package.
#include <node_api.h>
#include "established.h"
#if ADDRESS_WORDS == 1
#include "beginnings.h"
#include "frames.h"
#endif

#define MOST_ARGUMENTS 10

/** The arguments of a call from JavaScript. */
typedef struct {
  napi_env env;
  napi_value values[MOST_ARGUMENTS];
} Call;

static Call call_of(napi_env env, napi_callback_info info) {
  Call call = {.env = env};
  size_t count = MOST_ARGUMENTS;
  napi_get_cb_info(env, info, &count, call.values, NULL, NULL);
  return call;
}

static uint32_t number(const Call *call, int argument) {
  uint32_t result = 0;
  napi_get_value_uint32(call->env, call->values[argument], &result);
  return result;
}

static double milliseconds(const Call *call, int argument) {
  double result = 0;
  napi_get_value_double(call->env, call->values[argument], &result);
  return result;
}

/** What a typed array holds; NULL when it holds nothing. */
static void *data(const Call *call, int argument) {
  void *result = NULL;
  size_t length = 0;
  napi_get_typedarray_info(call->env, call->values[argument], NULL, &length, &result, NULL, NULL);
  return length == 0 ? NULL : result;
}

/** The same, as a copy that stays. */
static void *copy(const Call *call, int argument) {
  void *original = NULL, *result = NULL;
  size_t length = 0;
  napi_typedarray_type type = napi_uint32_array;
  napi_get_typedarray_info(call->env, call->values[argument], &type, &length, &original, NULL, NULL);
  size_t size = length * (type == napi_uint16_array ? sizeof(uint16_t) : sizeof(uint32_t));
  if (size > 0) result = memcpy(malloc(size), original, size);
  return result;
}

static napi_value result_of(const Call *call, uint32_t result) {
  napi_value value;
  napi_create_uint32(call->env, result, &value);
  return value;
}

static napi_value js_create(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  create_table(number(&call, 0));
  return NULL;
}

static napi_value js_insert(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  uint32_t taken = take_entry();
  Entry *entry = &entries[taken];
  memcpy(entry->tuples, data(&call, 0), sizeof entry->tuples);
  entry->class = TCP;
  entry->state = ESTABLISHED;
  entry->flags = SEEN_AND_ASSURED | (number(&call, 1) != 0 ? IS_DNAT : 0);
  entry->service_port = number(&call, 2);
  entry->expires_at = milliseconds(&call, 3);
  for (uint32_t side = 0; side < 2; side++)
    index_tuple(hash_of((const uint32_t *)&entry->tuples[side]), taken | (side == 0 ? 0 : REPLY));
  return NULL;
}

static napi_value js_process(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  return result_of(&call, run(data(&call, 0), data(&call, 1), number(&call, 2), milliseconds(&call, 3), (int)number(&call, 4)));
}

static napi_value js_process_parts(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  return result_of(&call, run_parts(data(&call, 0), number(&call, 1), milliseconds(&call, 2), number(&call, 3)));
}

#if ADDRESS_WORDS == 1
static napi_value js_serve(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  networks = copy(&call, 0);
  masks = copy(&call, 1);
  ports = copy(&call, 2);
  first_ports = copy(&call, 3);
  last_ports = copy(&call, 4);
  backends_from = copy(&call, 5);
  backends = copy(&call, 6);
  backend_ports = copy(&call, 7);
  maglev_slots = copy(&call, 8);
  service_count = number(&call, 9);
  row_count = (service_count + ROWS - 1) / ROWS * ROWS;
  turns = calloc(service_count, sizeof *turns);
  traffic = calloc(service_count, sizeof *traffic);
  hash_services();
  return NULL;
}

static napi_value js_process_beginnings(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  enum finder finder = number(&call, 5);
  return result_of(
      &call, run_beginnings(data(&call, 0), data(&call, 1), number(&call, 2), milliseconds(&call, 3), (int)number(&call, 4), finder));
}

static napi_value js_process_frames(napi_env env, napi_callback_info info) {
  Call call = call_of(env, info);
  const Slot *slots = data(&call, 0);
  return result_of(
      &call, run_frames(slots, data(&call, 1), number(&call, 2), data(&call, 3), milliseconds(&call, 4), (int)number(&call, 5)));
}
#endif

static const struct {
  const char *name;
  napi_callback call;
} functions[] = {
    {"create", js_create},
    {"insert", js_insert},
    {"process", js_process},
    {"processParts", js_process_parts},
#if ADDRESS_WORDS == 1
    {"serve", js_serve},
    {"processBeginnings", js_process_beginnings},
    {"processFrames", js_process_frames},
#endif
};

NAPI_MODULE_INIT() {
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
