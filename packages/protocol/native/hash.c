#include "hash.h"

#include <string.h>

/** Ends `ctx`, which is left without a trace of what it has seen: its result may be a key. */
static void finish(SHA256_CTX *ctx, const Bytes *parts, size_t count, uint8_t out[HASH_BYTES]) {
  for (size_t i = 0; i < count; i++) {
    if (parts[i].length > 0) SHA256_Update(ctx, parts[i].data, parts[i].length);
  }
  SHA256_Final(out, ctx);
  OPENSSL_cleanse(ctx, sizeof *ctx);
}

void sha256(const Bytes *parts, size_t count, uint8_t out[HASH_BYTES]) {
  SHA256_CTX ctx;
  SHA256_Init(&ctx);
  finish(&ctx, parts, count, out);
}

/** The hash that the key, XORed with `pad`, begins. */
static void begin(SHA256_CTX *ctx, const uint8_t key[HASH_BLOCK_BYTES], uint8_t pad) {
  uint8_t block[HASH_BLOCK_BYTES];
  for (size_t i = 0; i < HASH_BLOCK_BYTES; i++) block[i] = key[i] ^ pad;
  SHA256_Init(ctx);
  SHA256_Update(ctx, block, sizeof block);
  OPENSSL_cleanse(block, sizeof block);
}

void hmac_key(Bytes key, HmacKey *out) {
  uint8_t block[HASH_BLOCK_BYTES] = {0};
  if (key.length > HASH_BLOCK_BYTES) {
    sha256(&key, 1, block);
  } else if (key.length > 0) {
    memcpy(block, key.data, key.length);
  }
  begin(&out->inner, block, 0x36);
  begin(&out->outer, block, 0x5c);
  OPENSSL_cleanse(block, sizeof block);
}

void hmac(const HmacKey *key, const Bytes *parts, size_t count, uint8_t out[HASH_BYTES]) {
  uint8_t digest[HASH_BYTES];
  SHA256_CTX ctx = key->inner;
  finish(&ctx, parts, count, digest);
  ctx = key->outer;
  finish(&ctx, &(Bytes){digest, sizeof digest}, 1, out);
  OPENSSL_cleanse(digest, sizeof digest);
}

void expand(const HmacKey *key, Bytes label, Bytes context, uint8_t out[HASH_BYTES]) {
  static const uint8_t counter = 1;
  const Bytes parts[] = {label, context, {&counter, 1}};
  hmac(key, parts, 3, out);
}
