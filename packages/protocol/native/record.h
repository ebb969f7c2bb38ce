/**
 * Section 4.3 of docs/PROTOCOL.md for suites 2 and 3: one packet of one direction sealed or opened, and the chain moved. What
 * the header says has been checked by the caller; all lengths are checked here.
 */
#ifndef PAWL_RECORD_H
#define PAWL_RECORD_H

#include "hash.h"

enum {
  HEADER_BYTES = 16,
  CHAIN_BYTES = 32,
  CBC_KEY_BYTES = 16,
  CBC_IV_BYTES = 16,
  CBC_BLOCK_BYTES = 16,
  CBC_TAG_BYTES = 32,
  GCM_IV_BYTES = 12,
  GCM_KEY_BYTES = 32,
  GCM_TAG_BYTES = 16,
  /** OpenSSL counts bytes in an int. */
  MAX_PACKET_BYTES = 0x7fffff00,
};

typedef enum { SUITE_STRICT = 2, SUITE_STRICT_GCM = 3 } Suite;
typedef enum { KIND_MESSAGE = 1, KIND_COVER = 2 } Kind;
enum { OPCODE_DATA = 30 };

/** What a thread seals and opens with. Between two calls there is no key in it. */
typedef struct {
  EVP_CIPHER *cbc;
  EVP_CIPHER *gcm;
  EVP_CIPHER_CTX *cbc_seal;
  EVP_CIPHER_CTX *cbc_open;
  EVP_CIPHER_CTX *gcm_seal;
  EVP_CIPHER_CTX *gcm_open;
} Crypto;

/** The keys of one direction. */
typedef struct {
  Suite suite;
  bool wiped;
  uint8_t bytes[CHAIN_BYTES];
} Chain;

typedef enum {
  DONE = 0,
  /** Check 8. */
  WRONG_TAG = -1,
  /** Check 9. */
  WRONG_PADDING = -2,
  NO_KIND = -3,
  COVER_NOT_ALLOWED = -4,
  /** The caller's mistakes. */
  WRONG_LENGTH = -5,
  CHAIN_WIPED = -6,
  /** OpenSSL failed: no memory. */
  FAILED = -7,
} Status;

typedef struct {
  size_t length;
  Kind kind;
} Content;

bool crypto_open(Crypto *crypto);
void crypto_close(Crypto *crypto);

void chain_init(Chain *chain, Suite suite, const uint8_t bytes[CHAIN_BYTES]);
void chain_wipe(Chain *chain);

/** Bytes of packet for a plaintext of `plaintext_length` bytes; 0 where there is none. */
size_t packet_bytes(Suite suite, size_t plaintext_length);

/**
 * Seals `message ‖ kind ‖ zeros`, of `plaintext_length` bytes, into `packet`, which has header and IV in it already. On an error
 * the chain has not moved.
 */
Status record_seal(Crypto *crypto, Chain *chain, uint8_t *packet, size_t packet_length, Bytes message,
                   size_t plaintext_length, Kind kind);

/**
 * Opens `packet` into `plaintext`, which has room for its ciphertext; `content` is what stands at its beginning. On an error the
 * chain has not moved, and nothing of the plaintext is left.
 */
Status record_open(Crypto *crypto, Chain *chain, Bytes packet, uint8_t *plaintext, size_t room, Content *content);

/**
 * AES-128-CBC with PKCS#7 under a key of 16 bytes, for the packets of a handshake. `out` is as long as the padded plaintext; on an
 * error nothing of it is left.
 */
Status cbc_encrypt(Crypto *crypto, const uint8_t *key, const uint8_t *iv, Bytes plaintext, uint8_t *out, size_t room);

/**
 * The other way, for what has been authenticated. `out` is as long as the ciphertext, and `*length` bytes of it are the plaintext; on
 * an error nothing of it is left.
 */
Status cbc_decrypt(Crypto *crypto, const uint8_t *key, const uint8_t *iv, Bytes ciphertext, uint8_t *out, size_t room,
                   size_t *length);

/** AES-256-GCM under a key of 32 bytes. `out` is the ciphertext, then the tag; on an error nothing of it is left. */
Status gcm_encrypt(Crypto *crypto, const uint8_t *key, const uint8_t *iv, Bytes associated, Bytes plaintext,
                   uint8_t *out, size_t room);

/** `out` is as long as the ciphertext; on an error, a wrong tag among them, nothing of it is left. */
Status gcm_decrypt(Crypto *crypto, const uint8_t *key, const uint8_t *iv, Bytes associated, Bytes ciphertext,
                   const uint8_t *tag, uint8_t *out, size_t room);

#endif
