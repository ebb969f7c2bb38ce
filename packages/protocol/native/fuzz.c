/**
 * The record layer without Node.js, for the sanitizers: the worked example of docs/PROTOCOL.md, then a great many packets that were
 * made, broken and opened. What lies behind each buffer is not ours, so a byte too far is seen. `fuzz [rounds [seed]]`
 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MESSAGE = 200, CORPUS_BYTES = 400 };

static uint64_t state;

/** xorshift64*: the same seed, the same run. */
static uint32_t drawn(uint32_t below) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)((state * 0x2545f4914f6cdd1dULL) >> 32) % below;
}

static void check(bool good, const char *what, unsigned long round) {
  if (good) return;
  fprintf(stderr, "fuzz: round %lu: %s\n", round, what);
  abort();
}

static void from_hex(const char *hex, uint8_t *out) {
  for (size_t i = 0; hex[2 * i] != '\0'; i++) {
    unsigned byte = 0;
    check(sscanf(hex + 2 * i, "%2x", &byte) == 1, "hexadecimal", 0);
    out[i] = (uint8_t)byte;
  }
}

/** DATA of round 1, and the chain after it: docs/PROTOCOL.md, B. */
static void worked_example(Crypto *crypto) {
  uint8_t chain_bytes[CHAIN_BYTES], due[80], next[CHAIN_BYTES], packet[80] = {0};
  from_hex("60617e51901c4787aeab5d065878e8306559e20ef750f01a26522dec59007996", chain_bytes);
  from_hex("021e0000000000070000000000000001548152e2ddfc7f58dd8f892dbf9122aa43da948776339dff0061ab0787076a10"
           "eddbf430771c1a7a365eb21c74d7691e203b4040ca8944b63b6b42b44d858347",
           due);
  from_hex("e9e4f85fb8aa59ca964c380e6aa8a1154d1c3a885a6834bbe6ba8e90d72cb232", next);
  Chain seals, opens;
  chain_init(&seals, SUITE_STRICT, chain_bytes);
  chain_init(&opens, SUITE_STRICT, chain_bytes);
  memcpy(packet, due, HEADER_BYTES + CBC_IV_BYTES);
  const Bytes message = {(const uint8_t *)"1 2 3", 5};
  check(record_seal(crypto, &seals, packet, sizeof packet, message, 6, KIND_MESSAGE) == DONE, "seals", 0);
  check(memcmp(packet, due, sizeof due) == 0, "the packet of the specification", 0);
  uint8_t plaintext[16];
  Content content;
  check(record_open(crypto, &opens, (Bytes){due, sizeof due}, plaintext, sizeof plaintext, &content) == DONE,
        "opens", 0);
  check(content.length == 5 && memcmp(plaintext, "1 2 3", 5) == 0, "the message of the specification", 0);
  check(memcmp(seals.bytes, next, sizeof next) == 0 && memcmp(opens.bytes, next, sizeof next) == 0,
        "the next chain of the specification", 0);
}

/** Gives a changed packet of suite 2 its right tag, so that what is behind the check of the tag is reached. */
static void authenticate(const Chain *chain, uint8_t *packet, size_t length) {
  static const char label[] = "pawl/1 mac";
  HmacKey key;
  uint8_t mac[HASH_BYTES];
  const Bytes sealed = {packet, length - CBC_TAG_BYTES};
  hmac_key((Bytes){chain->bytes, CHAIN_BYTES}, &key);
  expand(&key, (Bytes){(const uint8_t *)label, sizeof label}, (Bytes){NULL, 0}, mac);
  hmac_key((Bytes){mac, HASH_BYTES}, &key);
  hmac(&key, &sealed, 1, packet + length - CBC_TAG_BYTES);
}

/** A packet that was sealed, then kept, changed, cut, lengthened or replaced; on the heap, of just its length. */
static uint8_t *packet_of(Crypto *crypto, const Chain *chain, size_t *length) {
  uint8_t message[MAX_MESSAGE], room[CORPUS_BYTES + 64] = {0};
  Chain copy = *chain;
  const size_t message_length = drawn(MAX_MESSAGE), plaintext_length = message_length + 1 + drawn(40);
  for (size_t i = 0; i < message_length; i++) message[i] = (uint8_t)drawn(256);
  for (size_t i = 0; i < HEADER_BYTES + CBC_IV_BYTES; i++) room[i] = (uint8_t)drawn(256);
  room[1] = drawn(2) ? OPCODE_DATA : 40;
  *length = packet_bytes(chain->suite, plaintext_length);
  // A kind that nobody sends is sealed like any other.
  check(record_seal(crypto, &copy, room, *length, (Bytes){message, message_length}, plaintext_length,
                    (Kind)(drawn(4) ? 1 + drawn(2) : drawn(256))) == DONE,
        "seals", 0);
  switch (drawn(6)) {
    case 0:
      for (uint32_t n = 1 + drawn(4); n > 0; n--) room[drawn((uint32_t)*length)] ^= (uint8_t)(1 + drawn(255));
      break;
    case 1:
      *length = drawn(CORPUS_BYTES);
      break;
    case 2:
      for (size_t i = 2; i < *length; i++) room[i] = (uint8_t)drawn(256);
      break;
    case 3:
      if (chain->suite != SUITE_STRICT) break;
      room[HEADER_BYTES + CBC_IV_BYTES + drawn((uint32_t)*length - 80 + 16)] ^= (uint8_t)(1 + drawn(255));
      authenticate(chain, room, *length);
      break;
    default:
      break;
  }
  uint8_t *packet = malloc(*length == 0 ? 1 : *length);
  check(packet != NULL, "memory", 0);
  memcpy(packet, room, *length);
  return packet;
}

static Status try_one(Crypto *crypto, Chain *chain, unsigned long round) {
  size_t length;
  uint8_t *packet = packet_of(crypto, chain, &length);
  const size_t around = packet_bytes(chain->suite, 1) - (chain->suite == SUITE_STRICT ? CBC_BLOCK_BYTES : 1);
  const size_t room = length > around ? length - around : 0;
  // As a long packet is opened where it lies, and a short one is not.
  const bool in_place = room > 0 && drawn(2);
  const size_t iv = chain->suite == SUITE_STRICT ? CBC_IV_BYTES : GCM_IV_BYTES;
  uint8_t *plaintext = in_place ? packet + HEADER_BYTES + iv : malloc(room == 0 ? 1 : room);
  check(plaintext != NULL, "memory", round);
  const Chain before = *chain;
  Content content = {0, KIND_MESSAGE};
  const Status status = record_open(crypto, chain, (Bytes){packet, length}, plaintext, room, &content);
  const bool moved = memcmp(before.bytes, chain->bytes, CHAIN_BYTES) != 0;
  check(moved == (status == DONE), "a chain moves where a packet was taken, and only there", round);
  check(status != FAILED && status != CHAIN_WIPED, "OpenSSL works", round);
  if (status == DONE) check(content.length < room, "the message is in the plaintext", round);
  if (status != DONE && status != WRONG_LENGTH) {
    for (size_t i = 0; i < room; i++) check(plaintext[i] == 0, "nothing is left of what was refused", round);
  }
  if (!in_place) free(plaintext);
  free(packet);
  return status;
}

int main(int argc, char **argv) {
  const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
  state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 1;
  Crypto crypto;
  check(crypto_open(&crypto), "OpenSSL opens", 0);
  worked_example(&crypto);

  Chain chains[2];
  const uint8_t first[CHAIN_BYTES] = {1};
  chain_init(&chains[0], SUITE_STRICT, first);
  chain_init(&chains[1], SUITE_STRICT_GCM, first);
  unsigned long seen[8] = {0};
  for (unsigned long round = 1; round <= rounds; round++) seen[-try_one(&crypto, &chains[drawn(2)], round)]++;
  printf("taken %lu; refused: tag %lu, padding %lu, kind %lu, cover %lu, length %lu\n", seen[-DONE],
         seen[-WRONG_TAG], seen[-WRONG_PADDING], seen[-NO_KIND], seen[-COVER_NOT_ALLOWED], seen[-WRONG_LENGTH]);
  for (int status = DONE; status >= WRONG_LENGTH; status--) {
    check(seen[-status] > 0 || rounds < 10000, "a run has every outcome", rounds);
  }
  chain_wipe(&chains[0]);
  uint8_t packet[80] = {0}, plaintext[16];
  Content content;
  check(record_open(&crypto, &chains[0], (Bytes){packet, 80}, plaintext, 16, &content) == CHAIN_WIPED &&
            record_seal(&crypto, &chains[0], packet, 80, (Bytes){NULL, 0}, 1, KIND_MESSAGE) == CHAIN_WIPED,
        "a chain that was wiped refuses", rounds);
  crypto_close(&crypto);
  return 0;
}
