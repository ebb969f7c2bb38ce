import type { Mutant } from "../mutant.ts";

/** Mistakes in what binds a packet to its place: session, direction, round (docs/PROTOCOL.md, 1.3, 2 and 4.4). */
export const SESSIONS: readonly Mutant[] = [
  {
    id: "round-unchecked",
    wrong: "The round of a packet is not compared with the one that is due; the ratchet has to do.",
    claims: ["silence"],
    changes: [
      {
        file: "protocol/session.js",
        find: "if (header.round !== due || due > last)",
        replace: "if (due > last)",
      },
    ],
  },
  {
    id: "ratchet-off",
    wrong: "A direction keeps its keys from its first packet to its last.",
    claims: ["forward-secrecy"],
    changes: [
      {
        file: "protocol/key-schedule.js",
        find: 'const next = expand(this.#crypto, this.#chain, "ratchet", concat(iv, tag));',
        replace: "const next = copyOf(this.#chain);",
      },
    ],
  },
  {
    id: "replay-undefended",
    wrong:
      "A direction keeps its keys, and the round of a packet is not compared: nothing tells a packet from its copy.",
    claims: ["replay", "order"],
    changes: [
      {
        file: "protocol/key-schedule.js",
        find: 'const next = expand(this.#crypto, this.#chain, "ratchet", concat(iv, tag));',
        replace: "const next = copyOf(this.#chain);",
      },
      {
        file: "protocol/session.js",
        find: "if (header.round !== due || due > last)",
        replace: "if (due > last)",
      },
    ],
  },
  {
    id: "direction-unchecked",
    wrong: "Nobody looks at the direction of a packet.",
    claims: ["reflection"],
    backstop: "Each direction has opcodes and keys of its own.",
    changes: [
      {
        file: "protocol/session.js",
        find: "if (header.direction !== this.#receives)",
        replace: "if (header.direction === undefined)",
      },
    ],
  },
  {
    id: "one-key",
    wrong: "Both directions begin with the same keys.",
    claims: ["confidentiality"],
    changes: [
      {
        file: "protocol/key-schedule.js",
        find: 's2c: chain("s2c traffic")',
        replace: 's2c: chain("c2s traffic")',
      },
    ],
  },
  {
    id: "reflection-undefended",
    wrong: "Both directions begin with the same keys, and a message is a message, whoever has sent it.",
    claims: ["reflection"],
    changes: [
      {
        file: "protocol/key-schedule.js",
        find: 's2c: chain("s2c traffic")',
        replace: 's2c: chain("c2s traffic")',
      },
      {
        file: "protocol/session.js",
        find: "if (header.direction !== this.#receives)",
        replace: "if (header.direction === undefined)",
      },
      {
        file: "protocol/transitions.js",
        find: 'AGGREGATE: to("aggregate", "ready"),',
        replace: 'AGGREGATE: to("aggregate", "ready"),\n            DATA: to("aggregate", "ready"),',
      },
    ],
  },
  {
    id: "challenge-unbound",
    wrong: "The client takes a CHALLENGE without asking which HELLO it answers.",
    claims: ["session-replay"],
    changes: [
      {
        file: "protocol/client.js",
        find: "if (!samePublicBytes(message.subarray(0, SECRET_BYTES), helloHash))",
        replace: "if (message.length !== CHALLENGE_BYTES)",
      },
    ],
  },
  {
    id: "transcript-without-challenge",
    wrong: "The chains take in the client's HELLO alone, not the server's CHALLENGE.",
    claims: ["replay"],
    changes: [
      {
        file: "protocol/key-schedule.js",
        find: "return crypto.sha256(helloHash, crypto.sha256(challengePacket));",
        replace: "return crypto.sha256(helloHash, crypto.sha256(new Uint8Array()));",
      },
    ],
  },
  {
    id: "chains-without-transcript",
    wrong: "The chains of a session are derived from the epoch's secret alone.",
    claims: ["replay"],
    changes: [
      {
        file: "protocol/key-schedule.js",
        find: "expand(this.#crypto, this.#secret, label, transcript)",
        replace: "expand(this.#crypto, this.#secret, label, new Uint8Array())",
      },
    ],
  },
  {
    id: "server-random-fixed",
    wrong: "The server's nonce and IV are the same in every CHALLENGE.",
    claims: ["replay"],
    changes: [
      {
        file: "server/record-access.js",
        find: "return { nonce: random(32), iv: random(16) };",
        replace: "return { nonce: random(32).fill(7), iv: random(16).fill(7) };",
      },
    ],
  },
  {
    id: "client-random-fixed",
    wrong: "The client's nonce and IV are the same in every HELLO.",
    claims: ["session-replay"],
    changes: [
      {
        file: "client/connection.js",
        find: 'this.#step({ type: "start", nonce: random(32), iv: random(16) });',
        replace: 'this.#step({ type: "start", nonce: random(32).fill(7), iv: random(16).fill(7) });',
      },
    ],
  },
  {
    id: "end-is-terminate",
    wrong: "An end of the stream is taken for a TERMINATE.",
    claims: ["truncation"],
    changes: [
      {
        file: "protocol/session.js",
        find: "if (!this.endsCleanly)",
        replace: "if (!this.endsCleanly && this.peer === null)",
      },
    ],
  },
  {
    id: "identity-unchecked",
    wrong: "Whose packet it is in a session is not compared with whose session it is.",
    claims: ["identity"],
    backstop: "The tag covers the header.",
    changes: [
      {
        file: "protocol/session.js",
        find: "if (header.clientId !== peer.clientId)",
        replace: "if (header.clientId === 0)",
      },
    ],
  },
  {
    id: "suite-unpinned",
    wrong: "The suite that a HELLO names is not compared with the one that its client is pinned to.",
    claims: ["downgrade"],
    backstop: "The suite is in every derivation.",
    changes: [
      {
        file: "protocol/hello-decision.js",
        find: "if (record.suite !== this.received.header.suite)",
        replace: "if (record.suite === undefined)",
      },
    ],
  },
  {
    id: "suite-negotiated",
    wrong:
      "The server speaks the suite that the client's HELLO asks for, classic with its base key included.",
    claims: ["downgrade"],
    changes: [
      {
        file: "protocol/hello-decision.js",
        find: "if (record.suite !== this.received.header.suite) {",
        replace: `if (!this.received.header.suite.strict) {
            return { ...record, suite: this.received.header.suite, secret: new TextEncoder().encode("basekey") };
        }
        if (record.suite !== this.received.header.suite) {`,
      },
      {
        file: "protocol/wire.js",
        find: "if (suite === undefined || !suites.includes(suite))",
        replace: "if (suite === undefined)",
      },
    ],
  },
  {
    id: "classic-ratchet-off",
    wrong: "In classic the keys do not move with the messages.",
    claims: ["splice"],
    suite: "classic",
    changes: [
      {
        file: "protocol/key-schedule.js",
        find: "const hashed = this.#crypto.sha256(this.#enc, message);",
        replace:
          "if (message !== undefined)\n            return;\n        const hashed = this.#crypto.sha256(this.#enc, message);",
      },
    ],
  },
];
