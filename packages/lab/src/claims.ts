/**
 * What the protocol promises (docs/PROTOCOL.md, 4.6), as the attacks and docs/SECURITY.md name it. A claim without an
 * attack fails the tests.
 */
export interface Claim {
  readonly promise: string;
  /** The section of docs/PROTOCOL.md that makes it so. */
  readonly section: string;
  /** What it rests on. */
  readonly assumption: string;
}

export const CLAIMS = {
  confidentiality: {
    promise: "Who sees every packet learns nothing of the messages but lengths and times.",
    section: "4.3",
    assumption: "AES-128-CBC with a fresh random IV, or AES-256-GCM, hides what it encrypts.",
  },
  integrity: {
    promise: "A packet that was altered in any bit is refused, and nothing of it is used.",
    section: "1",
    assumption: "HMAC-SHA-256 (or the GCM tag) cannot be forged without its key.",
  },
  replay: {
    promise: "A packet is accepted once, in the session and at the place that it was sent for.",
    section: "4.3",
    assumption: "A chain moves with each packet, so the keys of a packet are gone when it has been opened.",
  },
  "session-replay": {
    promise: "A whole recorded session, of either side, is worth nothing to who plays it again.",
    section: "4.4",
    assumption: "Each side draws 32 fresh random bytes, and the chains take in both.",
  },
  order: {
    promise: "Packets that are dropped, overtaken or swapped end the session.",
    section: "2",
    assumption: "Each direction counts its rounds, and its chain moves in their order.",
  },
  freshness: {
    promise: "A packet that was held back past its deadline counts for nothing.",
    section: "2",
    assumption: "The server's clock goes forward.",
  },
  reflection: {
    promise: "What one side has sent is never taken as said by the other, its own server or client included.",
    section: "4.2",
    assumption: "The directions have labels of their own; one secret belongs to one client and one server.",
  },
  splice: {
    promise: "A packet of another session, or of another client, is refused.",
    section: "4.4",
    assumption: "Chains are bound to suite, client, epoch and both nonces.",
  },
  downgrade: {
    promise: "Nobody can move a client to another suite.",
    section: "1",
    assumption: "The suite is pinned in the key database, and in every derivation.",
  },
  identity: {
    promise: "Nobody is taken for a client whose secret he does not hold, nor for the server.",
    section: "4.4",
    assumption: "A secret has 256 random bits and is known to one client and one server.",
  },
  truncation: {
    promise: "A stream that was cut is told from one that ended.",
    section: "2",
    assumption: "TERMINATE is sealed like any packet.",
  },
  silence: {
    promise: "Whatever is wrong with a packet, the answer is the same: none, and the end of the connection.",
    section: "1",
    assumption: "The tag is compared in constant time, before anything is decrypted.",
  },
  "forward-secrecy": {
    promise:
      "Keys that are taken today open no packet of before; once the epoch has moved, not even all stored keys do.",
    section: "4.3",
    assumption: "HKDF-Expand is one-way, and old secrets are overwritten.",
  },
  clone: {
    promise:
      "Once two copies of a client have both been used, the next contact of the one that fell behind raises an event.",
    section: "4.5",
    assumption: "The server's record was not set back.",
  },
  rollback: {
    promise:
      "A client's file or a server's store that was set back opens nothing for an attacker, and shows.",
    section: "4.5",
    assumption: "Not both sides were set back.",
  },
  lockout: {
    promise:
      "Whatever is dropped, delayed or replayed: the client is never behind its server, and comes back in.",
    section: "4.5",
    assumption: "A commit that was reported durable is.",
  },
  lengths: {
    promise: "With padding, the length of a message is hidden within its class.",
    section: "4.3",
    assumption: "The policy's classes are as coarse as the secret is.",
  },
  availability: {
    promise:
      "Who holds no secret can slow honest clients down within the limits, and neither lock them out nor exhaust the server.",
    section: "1",
    assumption: "The limits fit the machine, and the attacker does not fill the network itself.",
  },
  counting: {
    promise: "In a round, each client counts once, with what it said itself.",
    section: "5",
    assumption: "The above.",
  },
} as const satisfies Readonly<Record<string, Claim>>;

export type ClaimId = keyof typeof CLAIMS;
