/**
 * The few functions of OpenSSL 3 that the record layer uses. They are those of the OpenSSL that the running Node.js exports,
 * so they are declared here rather than included: the headers of another OpenSSL on the machine would say nothing of it,
 * and those of Node.js need not be installed with it. Where one of them is not there, the addon does not load.
 */
#ifndef PAWL_OPENSSL_H
#define PAWL_OPENSSL_H

#include <stddef.h>
#include <stdint.h>

typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;

/**
 * The state of a hash: 112 bytes in OpenSSL, a plain structure that may be copied. These functions are the older ones: to begin a
 * hash through EVP costs as much as the hash of a small packet, eight times a packet, and a state cannot be copied cheaply.
 */
typedef struct {
  uint64_t opaque[16];
} SHA256_CTX;

extern int SHA256_Init(SHA256_CTX *ctx);
extern int SHA256_Update(SHA256_CTX *ctx, const void *data, size_t length);
extern int SHA256_Final(unsigned char *out, SHA256_CTX *ctx);

extern EVP_CIPHER *EVP_CIPHER_fetch(void *library, const char *name, const char *properties);
extern void EVP_CIPHER_free(EVP_CIPHER *cipher);
extern EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
extern void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx);
extern int EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *ctx, int padding);
extern int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr);
extern int EVP_CipherInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, void *engine, const unsigned char *key,
                             const unsigned char *iv, int encrypt);
extern int EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_length, const unsigned char *in,
                            int in_length);
extern int EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_length);

extern int CRYPTO_memcmp(const void *a, const void *b, size_t length);
extern void OPENSSL_cleanse(void *ptr, size_t length);

#define EVP_CTRL_AEAD_GET_TAG 0x10
#define EVP_CTRL_AEAD_SET_TAG 0x11

#endif
