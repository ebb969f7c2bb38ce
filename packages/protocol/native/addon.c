/**
 * What JavaScript sees of the record layer: `RecordChain`, an object that keeps the chain of one direction, and the primitives
 * that the handshake is made of. Types and lengths are checked here or below, whoever calls; TypeScript allocates all results.
 */
#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
#include <node_api.h>

#include "record.h"

#include <stdlib.h>

enum { LENGTH_BYTES = 4, MAX_PARTS = 8 };

static const char *const NOT_BYTES = "expected a Uint8Array whose memory is there";
static const char *const NOT_A_PLACE = "expected where in the room, and how many bytes";

static napi_value type_error(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/** Uint8Arrays alone, Buffers among them. What was transferred elsewhere is refused, not taken as empty. */
static bool bytes_of(napi_env env, napi_value value, Bytes *out) {
  napi_typedarray_type type;
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, &type, &out->length, &data, NULL, NULL) != napi_ok) return false;
  out->data = data;
  if (type != napi_uint8_array) return false;
  if (out->length > 0) return data != NULL;
  napi_value buffer;
  bool detached = true;
  return napi_get_typedarray_info(env, value, NULL, NULL, NULL, &buffer, NULL) == napi_ok &&
         napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && !detached;
}

/** For results: the memory is the caller's, and written. */
static bool room_of(napi_env env, napi_value value, uint8_t **data, size_t *length) {
  Bytes bytes;
  if (!bytes_of(env, value, &bytes)) return false;
  *data = (uint8_t *)(uintptr_t)bytes.data;
  *length = bytes.length;
  return true;
}

static napi_value number(napi_env env, int64_t integer) {
  napi_value value = NULL;
  napi_create_int64(env, integer, &value);
  return value;
}

static void free_chain(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  chain_wipe(data);
  free(data);
}

/** `new RecordChain(suite: 2 | 3, chain: Uint8Array)`: a copy of its 32 bytes. */
static napi_value chain_new(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2], self, target;
  uint32_t suite;
  Bytes bytes;
  if (napi_get_cb_info(env, info, &count, args, &self, NULL) != napi_ok) return NULL;
  if (napi_get_new_target(env, info, &target) != napi_ok || target == NULL) {
    return type_error(env, "RecordChain is a class");
  }
  if (count != 2 || napi_get_value_uint32(env, args[0], &suite) != napi_ok ||
      (suite != SUITE_STRICT && suite != SUITE_STRICT_GCM)) {
    return type_error(env, "expected a suite that ratchets");
  }
  if (!bytes_of(env, args[1], &bytes) || bytes.length != CHAIN_BYTES) {
    return type_error(env, "expected a chain of 32 bytes");
  }
  Chain *chain = malloc(sizeof *chain);
  if (chain == NULL) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  chain_init(chain, (Suite)suite, bytes.data);
  if (napi_wrap(env, self, chain, free_chain, NULL, NULL) != napi_ok) {
    free_chain(env, chain, NULL);
    return type_error(env, "this object cannot hold a chain");
  }
  return self;
}

/**
 * The arguments of a method, and the chain of its object. That the object is a RecordChain is V8's to check, by the signature
 * that napi_define_class gives a method; one whose constructor threw has no chain.
 */
static bool method(napi_env env, napi_callback_info info, size_t due, napi_value *args, Chain **chain,
                   Crypto **crypto) {
  size_t count = due;
  napi_value self;
  void *object = NULL, *data = NULL;
  if (napi_get_cb_info(env, info, &count, args, &self, &data) != napi_ok || count != due ||
      napi_unwrap(env, self, &object) != napi_ok || object == NULL) {
    type_error(env, "expected a RecordChain, and all arguments of its method");
    return false;
  }
  *chain = object;
  *crypto = data;
  return true;
}

/**
 * `seal(room, at, length, message, plaintextLength, kind)`: a Status. The frame is the `length` bytes of `room` from `at` on; its
 * length, header and IV stand there already. A view of the frame alone would cost more than to say where it is.
 */
static napi_value chain_seal(napi_env env, napi_callback_info info) {
  napi_value args[6];
  Chain *chain;
  Crypto *crypto;
  uint8_t *room;
  size_t size;
  Bytes message;
  uint32_t at, length, plaintext_length, kind;
  if (!method(env, info, 6, args, &chain, &crypto)) return NULL;
  if (!room_of(env, args[0], &room, &size) || !bytes_of(env, args[3], &message)) return type_error(env, NOT_BYTES);
  if (napi_get_value_uint32(env, args[1], &at) != napi_ok || napi_get_value_uint32(env, args[2], &length) != napi_ok) {
    return type_error(env, NOT_A_PLACE);
  }
  if (napi_get_value_uint32(env, args[4], &plaintext_length) != napi_ok ||
      napi_get_value_uint32(env, args[5], &kind) != napi_ok || (kind != KIND_MESSAGE && kind != KIND_COVER)) {
    return type_error(env, "expected a length of plaintext, and kind 1 or 2");
  }
  if (at > size || length > size - at || length < LENGTH_BYTES) return number(env, WRONG_LENGTH);
  return number(env, record_seal(crypto, chain, room + at + LENGTH_BYTES, length - LENGTH_BYTES, message,
                                 plaintext_length, (Kind)kind));
}

/**
 * `open(packet, room, at)`: twice the length of the message, which stands in `room` from `at` on, and 1 more for a cover; else a
 * Status, which is negative.
 */
static napi_value chain_open(napi_env env, napi_callback_info info) {
  napi_value args[3];
  Chain *chain;
  Crypto *crypto;
  Bytes packet;
  uint8_t *room;
  size_t size;
  uint32_t at;
  Content content;
  if (!method(env, info, 3, args, &chain, &crypto)) return NULL;
  if (!bytes_of(env, args[0], &packet) || !room_of(env, args[1], &room, &size)) return type_error(env, NOT_BYTES);
  if (napi_get_value_uint32(env, args[2], &at) != napi_ok) return type_error(env, NOT_A_PLACE);
  if (at > size) return number(env, WRONG_LENGTH);
  const Status status = record_open(crypto, chain, packet, room + at, size - at, &content);
  return number(env, status == DONE ? 2 * (int64_t)content.length + (content.kind == KIND_COVER) : status);
}

static napi_value chain_wipe_now(napi_env env, napi_callback_info info) {
  Chain *chain;
  Crypto *crypto;
  if (method(env, info, 0, NULL, &chain, &crypto)) chain_wipe(chain);
  return NULL;
}

/** The room for a hash, then what it is of. */
static bool hash_args(napi_env env, napi_callback_info info, uint8_t **out, Bytes *parts, size_t *count) {
  size_t given = MAX_PARTS + 1, length = 0;
  napi_value args[MAX_PARTS + 1];
  bool good = napi_get_cb_info(env, info, &given, args, NULL, NULL) == napi_ok && given >= 1 &&
              given <= MAX_PARTS + 1 && room_of(env, args[0], out, &length) && length == HASH_BYTES;
  for (size_t i = 1; good && i < given; i++) good = bytes_of(env, args[i], &parts[i - 1]);
  if (!good) {
    type_error(env, "expected a Uint8Array of 32 bytes for the result, and at most 8 Uint8Arrays");
    return false;
  }
  *count = given - 1;
  return true;
}

/** `sha256(out, ...parts)` */
static napi_value sha256_of(napi_env env, napi_callback_info info) {
  Bytes parts[MAX_PARTS];
  uint8_t *out;
  size_t count;
  if (hash_args(env, info, &out, parts, &count)) sha256(parts, count, out);
  return NULL;
}

/** `hmacSha256(out, key, ...parts)` */
static napi_value hmac_of(napi_env env, napi_callback_info info) {
  Bytes parts[MAX_PARTS];
  uint8_t *out;
  size_t count;
  HmacKey key;
  if (!hash_args(env, info, &out, parts, &count)) return NULL;
  if (count == 0) return type_error(env, "expected a key");
  hmac_key(parts[0], &key);
  hmac(&key, parts + 1, count - 1, out);
  OPENSSL_cleanse(&key, sizeof key);
  return NULL;
}

enum { MAX_CIPHER_ARGS = 6 };

/** What a cipher is and takes: how many Uint8Arrays, of which the second is the key, and the third the IV. */
typedef struct {
  size_t args;
  size_t key;
  size_t iv;
} Shape;

static const Shape CBC = {4, CBC_KEY_BYTES, CBC_IV_BYTES};
static const Shape GCM_SEAL = {5, GCM_KEY_BYTES, GCM_IV_BYTES};
static const Shape GCM_OPEN = {6, GCM_KEY_BYTES, GCM_IV_BYTES};

/** The room for the result, key, IV, and what else the cipher takes. */
static bool cipher_args(napi_env env, napi_callback_info info, Shape shape, Crypto **crypto,
                        Bytes args[MAX_CIPHER_ARGS]) {
  size_t count = MAX_CIPHER_ARGS;
  napi_value values[MAX_CIPHER_ARGS];
  void *data = NULL;
  bool good = napi_get_cb_info(env, info, &count, values, NULL, &data) == napi_ok && count == shape.args;
  for (size_t i = 0; good && i < shape.args; i++) good = bytes_of(env, values[i], &args[i]);
  if (!good || args[1].length != shape.key || args[2].length != shape.iv) {
    type_error(env, "expected Uint8Arrays: the room, a key and an IV of the cipher's lengths, then what it is about");
    return false;
  }
  *crypto = data;
  return true;
}

/** That of the caller, to be written. */
static uint8_t *room_in(const Bytes *args) { return (uint8_t *)(uintptr_t)args[0].data; }

/** `cbcEncrypt(out, key, iv, plaintext)`: a Status. `out` is as long as the padded plaintext. */
static napi_value cbc_encrypt_of(napi_env env, napi_callback_info info) {
  Crypto *crypto;
  Bytes args[MAX_CIPHER_ARGS];
  if (!cipher_args(env, info, CBC, &crypto, args)) return NULL;
  return number(env, cbc_encrypt(crypto, args[1].data, args[2].data, args[3], room_in(args), args[0].length));
}

/** `cbcDecrypt(out, key, iv, ciphertext)`: bytes of plaintext at the beginning of `out`, or a Status, which is negative. */
static napi_value cbc_decrypt_of(napi_env env, napi_callback_info info) {
  Crypto *crypto;
  Bytes args[MAX_CIPHER_ARGS];
  size_t length = 0;
  if (!cipher_args(env, info, CBC, &crypto, args)) return NULL;
  const Status status =
      cbc_decrypt(crypto, args[1].data, args[2].data, args[3], room_in(args), args[0].length, &length);
  return number(env, status == DONE ? (int64_t)length : status);
}

/** `gcmSeal(out, key, iv, associated, plaintext)`: a Status. `out` has room for the ciphertext, and the tag behind it. */
static napi_value gcm_seal_of(napi_env env, napi_callback_info info) {
  Crypto *crypto;
  Bytes args[MAX_CIPHER_ARGS];
  if (!cipher_args(env, info, GCM_SEAL, &crypto, args)) return NULL;
  return number(env, gcm_encrypt(crypto, args[1].data, args[2].data, args[3], args[4], room_in(args), args[0].length));
}

/** `gcmOpen(out, key, iv, associated, ciphertext, tag)`: a Status. `out` is as long as the ciphertext. */
static napi_value gcm_open_of(napi_env env, napi_callback_info info) {
  Crypto *crypto;
  Bytes args[MAX_CIPHER_ARGS];
  if (!cipher_args(env, info, GCM_OPEN, &crypto, args)) return NULL;
  if (args[5].length != GCM_TAG_BYTES) return number(env, WRONG_LENGTH);
  return number(env, gcm_decrypt(crypto, args[1].data, args[2].data, args[3], args[4], args[5].data, room_in(args),
                                 args[0].length));
}

static void free_crypto(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  crypto_close(data);
  free(data);
}

/** Once for each thread of JavaScript, with contexts of its own: nothing is shared between threads. */
NAPI_MODULE_INIT() {
  Crypto *crypto = malloc(sizeof *crypto);
  if (crypto == NULL) return NULL;
  if (!crypto_open(crypto) || napi_set_instance_data(env, crypto, free_crypto, NULL) != napi_ok) {
    free_crypto(env, crypto, NULL);
    napi_throw_error(env, NULL, "the OpenSSL of this Node.js lacks a primitive");
    return NULL;
  }
  const napi_property_descriptor methods[] = {
      {"seal", NULL, chain_seal, NULL, NULL, NULL, napi_default_method, crypto},
      {"open", NULL, chain_open, NULL, NULL, NULL, napi_default_method, crypto},
      {"wipe", NULL, chain_wipe_now, NULL, NULL, NULL, napi_default_method, crypto},
  };
  napi_value chain_class;
  if (napi_define_class(env, "RecordChain", NAPI_AUTO_LENGTH, chain_new, NULL, sizeof methods / sizeof *methods,
                        methods, &chain_class) != napi_ok) {
    return NULL;
  }
  const napi_property_descriptor properties[] = {
      {"RecordChain", NULL, NULL, NULL, NULL, chain_class, napi_enumerable, NULL},
      {"sha256", NULL, sha256_of, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hmacSha256", NULL, hmac_of, NULL, NULL, NULL, napi_enumerable, NULL},
      {"cbcEncrypt", NULL, cbc_encrypt_of, NULL, NULL, NULL, napi_enumerable, crypto},
      {"cbcDecrypt", NULL, cbc_decrypt_of, NULL, NULL, NULL, napi_enumerable, crypto},
      {"gcmSeal", NULL, gcm_seal_of, NULL, NULL, NULL, napi_enumerable, crypto},
      {"gcmOpen", NULL, gcm_open_of, NULL, NULL, NULL, napi_enumerable, crypto},
  };
  if (napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties) != napi_ok) {
    return NULL;
  }
  return exports;
}
