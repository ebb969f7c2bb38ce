/** SHA-256, HMAC over it, and one block of HKDF-Expand (docs/PROTOCOL.md, 4.1). */
#ifndef PAWL_HASH_H
#define PAWL_HASH_H

#include "openssl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_BYTES = 32, HASH_BLOCK_BYTES = 64 };

/** What a caller lends for one call. `data` may be null where `length` is 0. */
typedef struct {
  const uint8_t *data;
  size_t length;
} Bytes;

/**
 * A key of HMAC as the two hashes that it begins (RFC 2104): a chain is the key of three, so they are begun once. It is as secret
 * as the key, and the caller's to overwrite.
 */
typedef struct {
  SHA256_CTX inner;
  SHA256_CTX outer;
} HmacKey;

void sha256(const Bytes *parts, size_t count, uint8_t out[HASH_BYTES]);
void hmac_key(Bytes key, HmacKey *out);
void hmac(const HmacKey *key, const Bytes *parts, size_t count, uint8_t out[HASH_BYTES]);

/**
 * The first block of X(key, label, context): enough for every length up to 32. `label` has "pawl/1 " before it and 0 behind. `out`
 * may be what the key was made of.
 */
void expand(const HmacKey *key, Bytes label, Bytes context, uint8_t out[HASH_BYTES]);

#endif
