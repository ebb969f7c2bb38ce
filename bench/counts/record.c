/**
 * A fixed number of packets sealed, or opened, for callgrind to count the instructions of: those inside `measured` alone.
 * `record seal|open SUITE BYTES PACKETS`, with the suite's number and the bytes of each message; `record` alone says which OpenSSL.
 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  Chain chain;
  Bytes message;
  size_t packet_bytes;
  /** All packets, one behind the other, with the header of DATA and an IV before anything is sealed. */
  uint8_t *packets;
  size_t count;
  uint8_t *plaintext;
} Work;

extern const char *OpenSSL_version(int what);

static void check(bool good, const char *what) {
  if (good) return;
  fprintf(stderr, "record: %s\n", what);
  exit(1);
}

static void seal_all(Crypto *crypto, Work *work) {
  for (size_t i = 0; i < work->count; i++) {
    const Status status = record_seal(crypto, &work->chain, work->packets + i * work->packet_bytes, work->packet_bytes,
                                      work->message, work->message.length + 1, KIND_MESSAGE);
    check(status == DONE, "a packet was not sealed");
  }
}

static void open_all(Crypto *crypto, Work *work) {
  for (size_t i = 0; i < work->count; i++) {
    const Bytes packet = {work->packets + i * work->packet_bytes, work->packet_bytes};
    Content content;
    const Status status = record_open(crypto, &work->chain, packet, work->plaintext, work->packet_bytes, &content);
    check(status == DONE && content.length == work->message.length, "a packet was not opened");
  }
}

/** The name is what callgrind is told to collect in. */
__attribute__((noinline)) void measured(void (*all)(Crypto *, Work *), Crypto *crypto, Work *work);
void measured(void (*all)(Crypto *, Work *), Crypto *crypto, Work *work) {
  all(crypto, work);
  // Else the call above is a jump, and this function over before its work begins.
  __asm__ volatile("");
}

int main(int argc, char **argv) {
  static const uint8_t first[CHAIN_BYTES] = {1};
  if (argc == 1) return puts(OpenSSL_version(0)) < 0;
  check(argc == 5, "usage: record seal|open SUITE BYTES PACKETS");
  const bool seals = strcmp(argv[1], "seal") == 0;
  const Suite suite = (Suite)atoi(argv[2]);
  const size_t message_bytes = strtoul(argv[3], NULL, 10);
  Work work = {.packet_bytes = packet_bytes(suite, message_bytes + 1), .count = strtoul(argv[4], NULL, 10)};
  uint8_t *message = calloc(1, message_bytes);
  work.message = (Bytes){message, message_bytes};
  work.packets = calloc(work.count, work.packet_bytes);
  work.plaintext = malloc(work.packet_bytes);
  check(message != NULL && work.packets != NULL && work.plaintext != NULL, "out of memory");
  for (size_t i = 0; i < work.count; i++) work.packets[i * work.packet_bytes + 1] = OPCODE_DATA;

  Crypto crypto;
  check(crypto_open(&crypto), "OpenSSL does not open");
  // Once for what OpenSSL does at a first time only.
  chain_init(&work.chain, suite, first);
  seal_all(&crypto, &work);
  chain_init(&work.chain, suite, first);
  open_all(&crypto, &work);

  chain_init(&work.chain, suite, first);
  measured(seals ? seal_all : open_all, &crypto, &work);
  crypto_close(&crypto);
  free(message);
  free(work.packets);
  free(work.plaintext);
  return 0;
}
