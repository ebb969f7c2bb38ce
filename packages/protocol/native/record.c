#include "record.h"

#include <string.h>

typedef struct {
  HmacKey chain;
  /** Its first 16 bytes in suite 2. */
  uint8_t enc[HASH_BYTES];
  /** Unused in suite 3. */
  HmacKey mac;
} PacketKeys;

/** Where the parts of a packet of one suite are. */
typedef struct {
  size_t iv;
  size_t tag;
} Layout;

#define LABEL(text) ((Bytes){(const uint8_t *)("pawl/1 " text), sizeof("pawl/1 " text)})

static const uint8_t ZEROS[GCM_KEY_BYTES] = {0};

static Layout layout_of(Suite suite) {
  return suite == SUITE_STRICT ? (Layout){CBC_IV_BYTES, CBC_TAG_BYTES} : (Layout){GCM_IV_BYTES, GCM_TAG_BYTES};
}

static bool open_cipher(EVP_CIPHER_CTX **ctx, const EVP_CIPHER *cipher, int encrypt) {
  *ctx = EVP_CIPHER_CTX_new();
  // Whole blocks, and PKCS#7 by the caller: so OpenSSL keeps no block of plaintext back in a buffer of its own.
  return *ctx != NULL && cipher != NULL && EVP_CipherInit_ex(*ctx, cipher, NULL, ZEROS, NULL, encrypt) == 1 &&
         EVP_CIPHER_CTX_set_padding(*ctx, 0) == 1;
}

bool crypto_open(Crypto *crypto) {
  memset(crypto, 0, sizeof *crypto);
  crypto->cbc = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
  crypto->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  return open_cipher(&crypto->cbc_seal, crypto->cbc, 1) && open_cipher(&crypto->cbc_open, crypto->cbc, 0) &&
         open_cipher(&crypto->gcm_seal, crypto->gcm, 1) && open_cipher(&crypto->gcm_open, crypto->gcm, 0);
}

void crypto_close(Crypto *crypto) {
  EVP_CIPHER_CTX_free(crypto->cbc_seal);
  EVP_CIPHER_CTX_free(crypto->cbc_open);
  EVP_CIPHER_CTX_free(crypto->gcm_seal);
  EVP_CIPHER_CTX_free(crypto->gcm_open);
  EVP_CIPHER_free(crypto->cbc);
  EVP_CIPHER_free(crypto->gcm);
}

void chain_init(Chain *chain, Suite suite, const uint8_t bytes[CHAIN_BYTES]) {
  chain->suite = suite;
  chain->wiped = false;
  memcpy(chain->bytes, bytes, CHAIN_BYTES);
}

void chain_wipe(Chain *chain) {
  OPENSSL_cleanse(chain->bytes, CHAIN_BYTES);
  chain->wiped = true;
}

size_t packet_bytes(Suite suite, size_t plaintext_length) {
  if (plaintext_length == 0 || plaintext_length > MAX_PACKET_BYTES) return 0;
  const Layout layout = layout_of(suite);
  const size_t ciphertext =
      suite == SUITE_STRICT ? (plaintext_length / CBC_BLOCK_BYTES + 1) * CBC_BLOCK_BYTES : plaintext_length;
  return HEADER_BYTES + layout.iv + ciphertext + layout.tag;
}

static void derive_keys(const Chain *chain, PacketKeys *keys) {
  const Bytes none = {NULL, 0};
  hmac_key((Bytes){chain->bytes, CHAIN_BYTES}, &keys->chain);
  expand(&keys->chain, LABEL("enc"), none, keys->enc);
  if (chain->suite == SUITE_STRICT) {
    uint8_t mac[HASH_BYTES];
    expand(&keys->chain, LABEL("mac"), none, mac);
    hmac_key((Bytes){mac, HASH_BYTES}, &keys->mac);
    OPENSSL_cleanse(mac, sizeof mac);
  }
}

/** chain' = X(chain, "ratchet", iv ‖ tag). */
static void ratchet(Chain *chain, const PacketKeys *keys, Bytes packet) {
  const Layout layout = layout_of(chain->suite);
  uint8_t context[CBC_IV_BYTES + CBC_TAG_BYTES];
  memcpy(context, packet.data + HEADER_BYTES, layout.iv);
  memcpy(context + layout.iv, packet.data + packet.length - layout.tag, layout.tag);
  expand(&keys->chain, LABEL("ratchet"), (Bytes){context, layout.iv + layout.tag}, chain->bytes);
}

/** Moves the chain where the packet was good, the one place where it does, and forgets all that the packet's keys were in. */
static Status finish(Chain *chain, EVP_CIPHER_CTX *cipher, PacketKeys *keys, Bytes packet, Status status) {
  // A context keeps its last key until it gets another.
  if (EVP_CipherInit_ex(cipher, NULL, NULL, ZEROS, NULL, -1) != 1) status = FAILED;
  if (status == DONE) ratchet(chain, keys, packet);
  OPENSSL_cleanse(keys, sizeof *keys);
  return status;
}

static bool cbc(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *iv, const uint8_t *in, uint8_t *out,
                size_t length) {
  int written = 0;
  return EVP_CipherInit_ex(ctx, NULL, NULL, key, iv, -1) == 1 &&
         EVP_CipherUpdate(ctx, out, &written, in, (int)length) == 1 && (size_t)written == length;
}

static void cbc_tag(const PacketKeys *keys, Bytes packet, uint8_t tag[CBC_TAG_BYTES]) {
  const Bytes sealed = {packet.data, packet.length - CBC_TAG_BYTES};
  hmac(&keys->mac, &sealed, 1, tag);
}

/** Encrypts in place what lies behind the IV, and writes the tag. */
static bool seal_cbc(Crypto *crypto, const PacketKeys *keys, uint8_t *packet, size_t length, size_t plaintext_length) {
  uint8_t *text = packet + HEADER_BYTES + CBC_IV_BYTES;
  const size_t ciphertext = length - HEADER_BYTES - CBC_IV_BYTES - CBC_TAG_BYTES;
  const size_t padding = ciphertext - plaintext_length;
  memset(text + plaintext_length, (int)padding, padding);
  if (!cbc(crypto->cbc_seal, keys->enc, packet + HEADER_BYTES, text, text, ciphertext)) return false;
  cbc_tag(keys, (Bytes){packet, length}, packet + length - CBC_TAG_BYTES);
  return true;
}

/** `in` may be `out`. Inline, as the other way is: a call with so many arguments is 5 % of what a packet costs here. */
static inline bool gcm_seal_with(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *iv, Bytes associated, Bytes in,
                          uint8_t *out, uint8_t *tag) {
  int written = 0;
  return EVP_CipherInit_ex(ctx, NULL, NULL, key, iv, -1) == 1 &&
         EVP_CipherUpdate(ctx, NULL, &written, associated.data, (int)associated.length) == 1 &&
         EVP_CipherUpdate(ctx, out, &written, in.data, (int)in.length) == 1 && (size_t)written == in.length &&
         EVP_CipherFinal_ex(ctx, out + in.length, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_BYTES, tag) == 1;
}

static bool seal_gcm(Crypto *crypto, const PacketKeys *keys, uint8_t *packet, size_t length) {
  uint8_t *text = packet + HEADER_BYTES + GCM_IV_BYTES;
  const Bytes plaintext = {text, length - HEADER_BYTES - GCM_IV_BYTES - GCM_TAG_BYTES};
  return gcm_seal_with(crypto->gcm_seal, keys->enc, packet + HEADER_BYTES, (Bytes){packet, HEADER_BYTES}, plaintext,
                       text, text + plaintext.length);
}

Status record_seal(Crypto *crypto, Chain *chain, uint8_t *packet, size_t packet_length, Bytes message,
                   size_t plaintext_length, Kind kind) {
  if (chain->wiped) return CHAIN_WIPED;
  if (message.length >= plaintext_length || packet_length == 0 ||
      packet_length != packet_bytes(chain->suite, plaintext_length) || packet_length > MAX_PACKET_BYTES) {
    return WRONG_LENGTH;
  }
  uint8_t *plaintext = packet + HEADER_BYTES + layout_of(chain->suite).iv;
  if (message.length > 0) memmove(plaintext, message.data, message.length);
  plaintext[message.length] = (uint8_t)kind;
  memset(plaintext + message.length + 1, 0, plaintext_length - message.length - 1);

  PacketKeys keys;
  const bool is_cbc = chain->suite == SUITE_STRICT;
  derive_keys(chain, &keys);
  const bool sealed = is_cbc ? seal_cbc(crypto, &keys, packet, packet_length, plaintext_length)
                             : seal_gcm(crypto, &keys, packet, packet_length);
  const Status status = finish(chain, is_cbc ? crypto->cbc_seal : crypto->gcm_seal, &keys,
                               (Bytes){packet, packet_length}, sealed ? DONE : FAILED);
  if (status != DONE) OPENSSL_cleanse(packet, packet_length);
  return status;
}

/** Bytes of plaintext without its PKCS#7 padding; `length` where that is wrong. Read only when the tag was right. */
static size_t unpadded(const uint8_t *plaintext, size_t length) {
  const size_t padding = plaintext[length - 1];
  if (padding == 0 || padding > CBC_BLOCK_BYTES) return length;
  for (size_t i = length - padding; i < length; i++) {
    if (plaintext[i] != padding) return length;
  }
  return length - padding;
}

static Status open_cbc(Crypto *crypto, const PacketKeys *keys, Bytes packet, uint8_t *plaintext, size_t *length) {
  uint8_t tag[CBC_TAG_BYTES];
  cbc_tag(keys, packet, tag);
  const bool right = CRYPTO_memcmp(tag, packet.data + packet.length - CBC_TAG_BYTES, CBC_TAG_BYTES) == 0;
  // The right tag of a wrong packet would let its sender forge it.
  OPENSSL_cleanse(tag, sizeof tag);
  if (!right) return WRONG_TAG;
  const uint8_t *iv = packet.data + HEADER_BYTES;
  if (!cbc(crypto->cbc_open, keys->enc, iv, iv + CBC_IV_BYTES, plaintext, *length)) return FAILED;
  const size_t end = unpadded(plaintext, *length);
  if (end == *length) return WRONG_PADDING;
  *length = end;
  return DONE;
}

/** What it leaves in `out` is to be seen where it gives DONE alone. */
static inline Status gcm_open_with(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *iv, Bytes associated,
                            Bytes ciphertext, const uint8_t *tag, uint8_t *out) {
  uint8_t expected[GCM_TAG_BYTES];
  int written = 0;
  memcpy(expected, tag, GCM_TAG_BYTES);
  if (EVP_CipherInit_ex(ctx, NULL, NULL, key, iv, -1) != 1 ||
      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_BYTES, expected) != 1 ||
      EVP_CipherUpdate(ctx, NULL, &written, associated.data, (int)associated.length) != 1 ||
      EVP_CipherUpdate(ctx, out, &written, ciphertext.data, (int)ciphertext.length) != 1 ||
      (size_t)written != ciphertext.length) {
    return FAILED;
  }
  return EVP_CipherFinal_ex(ctx, out + ciphertext.length, &written) == 1 ? DONE : WRONG_TAG;
}

static Status open_gcm(Crypto *crypto, const PacketKeys *keys, Bytes packet, uint8_t *plaintext, size_t length) {
  const uint8_t *iv = packet.data + HEADER_BYTES;
  return gcm_open_with(crypto->gcm_open, keys->enc, iv, (Bytes){packet.data, HEADER_BYTES},
                       (Bytes){iv + GCM_IV_BYTES, length}, packet.data + packet.length - GCM_TAG_BYTES, plaintext);
}

/** Check 9: message and kind of `length` bytes of plaintext. */
static Status content_of(const uint8_t *plaintext, size_t length, uint8_t opcode, Content *content) {
  while (length > 0 && plaintext[length - 1] == 0) length--;
  if (length == 0) return NO_KIND;
  const uint8_t kind = plaintext[length - 1];
  if (kind != KIND_MESSAGE && kind != KIND_COVER) return NO_KIND;
  if (kind == KIND_COVER && opcode != OPCODE_DATA) return COVER_NOT_ALLOWED;
  *content = (Content){length - 1, (Kind)kind};
  return DONE;
}

Status record_open(Crypto *crypto, Chain *chain, Bytes packet, uint8_t *plaintext, size_t room, Content *content) {
  if (chain->wiped) return CHAIN_WIPED;
  const bool is_cbc = chain->suite == SUITE_STRICT;
  const Layout layout = layout_of(chain->suite);
  const size_t around = HEADER_BYTES + layout.iv + layout.tag;
  if (packet.length <= around || packet.length > MAX_PACKET_BYTES) return WRONG_LENGTH;
  const size_t ciphertext = packet.length - around;
  if (room < ciphertext || (is_cbc && ciphertext % CBC_BLOCK_BYTES != 0)) return WRONG_LENGTH;

  PacketKeys keys;
  size_t length = ciphertext;
  derive_keys(chain, &keys);
  Status status = is_cbc ? open_cbc(crypto, &keys, packet, plaintext, &length)
                         : open_gcm(crypto, &keys, packet, plaintext, length);
  if (status == DONE) status = content_of(plaintext, length, packet.data[1], content);
  status = finish(chain, is_cbc ? crypto->cbc_open : crypto->gcm_open, &keys, packet, status);
  if (status != DONE) OPENSSL_cleanse(plaintext, ciphertext);
  return status;
}

/** A context keeps its last key until it gets another; what came of a failure is not to be seen. */
static Status forget(EVP_CIPHER_CTX *ctx, Status status, uint8_t *out, size_t room) {
  if (EVP_CipherInit_ex(ctx, NULL, NULL, ZEROS, NULL, -1) != 1) status = FAILED;
  if (status != DONE && room > 0) OPENSSL_cleanse(out, room);
  return status;
}

Status cbc_encrypt(Crypto *crypto, const uint8_t *key, const uint8_t *iv, Bytes plaintext, uint8_t *out, size_t room) {
  if (plaintext.length > MAX_PACKET_BYTES - CBC_BLOCK_BYTES ||
      room != (plaintext.length / CBC_BLOCK_BYTES + 1) * CBC_BLOCK_BYTES) {
    return WRONG_LENGTH;
  }
  const size_t padding = room - plaintext.length;
  if (plaintext.length > 0) memmove(out, plaintext.data, plaintext.length);
  memset(out + plaintext.length, (int)padding, padding);
  return forget(crypto->cbc_seal, cbc(crypto->cbc_seal, key, iv, out, out, room) ? DONE : FAILED, out, room);
}

Status cbc_decrypt(Crypto *crypto, const uint8_t *key, const uint8_t *iv, Bytes ciphertext, uint8_t *out, size_t room,
                   size_t *length) {
  if (room == 0 || room > MAX_PACKET_BYTES || room % CBC_BLOCK_BYTES != 0 || room != ciphertext.length) {
    return WRONG_LENGTH;
  }
  Status status = FAILED;
  if (cbc(crypto->cbc_open, key, iv, ciphertext.data, out, room)) {
    *length = unpadded(out, room);
    status = *length == room ? WRONG_PADDING : DONE;
  }
  return forget(crypto->cbc_open, status, out, room);
}

Status gcm_encrypt(Crypto *crypto, const uint8_t *key, const uint8_t *iv, Bytes associated, Bytes plaintext,
                   uint8_t *out, size_t room) {
  if (associated.length > MAX_PACKET_BYTES || plaintext.length > MAX_PACKET_BYTES - GCM_TAG_BYTES ||
      room != plaintext.length + GCM_TAG_BYTES) {
    return WRONG_LENGTH;
  }
  const bool sealed = gcm_seal_with(crypto->gcm_seal, key, iv, associated, plaintext, out, out + plaintext.length);
  return forget(crypto->gcm_seal, sealed ? DONE : FAILED, out, room);
}

Status gcm_decrypt(Crypto *crypto, const uint8_t *key, const uint8_t *iv, Bytes associated, Bytes ciphertext,
                   const uint8_t *tag, uint8_t *out, size_t room) {
  if (associated.length > MAX_PACKET_BYTES || room > MAX_PACKET_BYTES || room != ciphertext.length) {
    return WRONG_LENGTH;
  }
  const Status status = gcm_open_with(crypto->gcm_open, key, iv, associated, ciphertext, tag, out);
  return forget(crypto->gcm_open, status, out, room);
}
