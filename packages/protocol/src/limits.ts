/** Every number of the specification, with its section. Choices of an implementation stand with their code. */

/** Section 1: bytes of the length before each packet. */
export const LENGTH_BYTES = 4;
/** Section 1: bytes of the header. */
export const HEADER_BYTES = 16;
/** Section 1: the shortest packet of any suite (suite 3 with one byte of ciphertext). */
export const MIN_PACKET = 45;
/** Section 1: HELLO and CHALLENGE, in bytes of packet. */
export const MAX_HANDSHAKE_PACKET = 512;
/** Section 1: the first DATA of a session, in bytes of message. */
export const MAX_FIRST_MESSAGE = 16 * 1024;
/** Section 1: `maxMessage` unless configured, in bytes. */
export const DEFAULT_MAX_MESSAGE = 1024 * 1024;
/** Section 6: a server's `maxMessage` is at least this, in bytes. */
export const MIN_MAX_MESSAGE = 4 * 1024;

/** Section 2: the last round of a DATA or an AGGREGATE; only TERMINATE may carry 2³²−1. */
export const LAST_ROUND = 0xffff_fffe;
/** Section 4.5: an epoch that is never left. No HELLO is sent or answered at it. */
export const LAST_EPOCH = 0xffff_ffff;

/** Section 2: from accept to HELLO, in milliseconds. */
export const HELLO_DEADLINE_MS = 5_000;
/** Section 2: from CHALLENGE to the first packet of the session, in milliseconds. */
export const FIRST_PACKET_DEADLINE_MS = 10_000;

/** Section 4.2: bytes of an epoch secret, a chain, a hash. */
export const SECRET_BYTES = 32;
/** Section 4.4: bytes of the nonce in a HELLO or CHALLENGE of the strict suites. */
export const NONCE_BYTES = 32;
/** Section 3: bytes of the nonce in a HELLO or CHALLENGE of classic. */
export const CLASSIC_NONCE_BYTES = 16;
/** Section 4.4: bytes of `T` that `last` and `accepted` keep. */
export const LAST_BYTES = 16;
/** Section 4.2: the shortest pre-shared key that may be imported, in bytes. */
export const MIN_PSK_BYTES = 16;

/** Section 4.5.2: how far ahead of the server a HELLO may be. */
export const DEFAULT_WINDOW = 64;
/** Section 4.5.2: the window of a restored record. */
export const RESTORED_WINDOW = 4_096;
/** Section 4.5.2: more derivations than this are done off the event loop. */
export const MAX_INLINE_DERIVATIONS = 256;

/** Section 4.5.5: a client's back-off between attempts, in milliseconds. */
export const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_LAST_MS = 60_000;

/** Section 4.3: packets that suite 3 seals under one `hello_e` or `challenge_e`. */
export const MAX_GCM_HANDSHAKES = 2 ** 32;
