import type { Mutant } from "../mutant.ts";

/** Mistakes in how secrets are looked up, move and are stored (docs/PROTOCOL.md, 4.5). */
export const EPOCHS: readonly Mutant[] = [
  {
    id: "epoch-secret-kept",
    wrong: "The epoch counts on, and its secret stays the same.",
    claims: ["forward-secrecy"],
    changes: [
      {
        file: "protocol/key-schedule.js",
        find: 'const secret = this.#derive("next epoch");',
        replace: "const secret = copyOf(this.#secret);",
      },
    ],
  },
  {
    id: "server-moves-on-hello",
    wrong:
      "The server moves to the next epoch when it has verified HELLO, not when the client has proved that it is there.",
    claims: ["lockout"],
    changes: [
      {
        file: "protocol/hello-decision.js",
        find: 'if (secret.epoch === epoch)\n            return { next: "challenge", secret, generation };',
        replace: "",
      },
      {
        file: "protocol/hello-decision.js",
        find: "next: { epoch: secret.epoch, secret: secret.copy() },",
        replace: "next: { epoch: secret.epoch + 1, secret: secret.next().copy() },",
      },
      {
        file: "protocol/server.js",
        find: "if (proof === null)\n            return this.#becomeLive();",
        replace: "if (proof !== undefined)\n            return this.#becomeLive();",
      },
    ],
  },
  {
    id: "server-moves-never",
    wrong: "The first packet of a session moves nothing: the server follows when the next HELLO is ahead.",
    claims: ["replay"],
    changes: [
      {
        file: "protocol/server.js",
        find: "if (proof === null)\n            return this.#becomeLive();",
        replace: "if (proof !== undefined)\n            return this.#becomeLive();",
      },
    ],
  },
  {
    id: "client-sends-before-commit",
    wrong: "The client stores its next epoch while it goes on already.",
    claims: ["lockout"],
    changes: [
      {
        file: "client/connection.js",
        find: "outcome = await this.#options.store.commit(expected, next);",
        replace: `outcome = "done";
            void this.#options.store.commit({ ...expected, secret: expected.secret.slice() }, { ...next, secret: next.secret.slice() });`,
      },
    ],
  },
  {
    id: "server-answers-before-commit",
    wrong: "The server stores the next epoch while it answers already.",
    claims: ["lockout"],
    changes: [
      {
        file: "server/record-access.js",
        find: "const result = await options.keys.commit({ clientId, expected, next, accepted });",
        replace: `const result = { outcome: "done" };
            void options.keys.commit({ clientId, expected, next: { ...next, secret: next.secret.slice() }, accepted });`,
      },
    ],
  },
  {
    id: "catch-up-without-tag",
    wrong: "A HELLO that is ahead moves the stored epoch before its tag is verified.",
    claims: ["lockout"],
    changes: [
      {
        file: "protocol/hello-decision.js",
        find: "secret.wipe();\n            throw error;",
        replace: `if (secret.epoch === record.epoch) {
                secret.wipe();
                throw error;
            }
            last = new Uint8Array(LAST_BYTES);`,
      },
    ],
  },
  {
    id: "compare-and-set-ignored",
    wrong: "The key store sets without comparing: who commits last has the last word.",
    claims: ["lockout"],
    changes: [
      {
        file: "server/keys/memory.js",
        find: "client.epoch !== expected.epoch ||",
        replace: "",
      },
    ],
  },
  {
    id: "accepted-not-stored",
    wrong: "The server does not keep which session it has accepted.",
    claims: ["clone"],
    changes: [
      {
        file: "server/keys/memory.js",
        find: "accepted: { epoch: accepted.epoch, t: copyOf(accepted.t) },",
        replace: "",
      },
    ],
  },
  {
    id: "last-not-sent",
    wrong: "The client does not say in HELLO by which session it came to its epoch.",
    claims: ["clone"],
    changes: [
      {
        file: "protocol/client.js",
        find: "const message = concat(nonce.subarray(0, NONCE_BYTES), this.#last);",
        replace: "const message = concat(nonce.subarray(0, NONCE_BYTES), new Uint8Array(LAST_BYTES));",
      },
    ],
  },
  {
    id: "stale-epoch-unchecked",
    wrong: "A HELLO that is behind is not refused for that.",
    claims: ["rollback"],
    backstop: "The secret of its epoch is gone.",
    changes: [
      {
        file: "protocol/client-record.js",
        find: "if (epoch < stored)",
        replace: "if (epoch < 0)",
      },
    ],
  },
  {
    id: "stale-epoch-unsaid",
    wrong: "A HELLO that is behind is refused, and nobody hears of it.",
    claims: ["rollback"],
    changes: [
      {
        file: "protocol/hello-decision.js",
        find: 'if (header.epoch < from)\n            this.#emit({ type: "stale-epoch", clientId, epoch: header.epoch, stored: from });',
        replace: "",
      },
    ],
  },
  {
    id: "window-unlimited",
    wrong: "A HELLO may be any number of epochs ahead.",
    claims: ["availability"],
    changes: [
      {
        file: "protocol/client-record.js",
        find: "if (epoch > Math.min(stored + window, LAST_EPOCH))",
        replace: "if (epoch > LAST_EPOCH)",
      },
    ],
  },
  {
    id: "superseded-goes-on",
    wrong: "A client's old session goes on beside its new one.",
    claims: ["counting"],
    changes: [
      {
        file: "server/own-commons.js",
        find: "else if (other.greeting.epoch < epoch)",
        replace: "else if (other.greeting.epoch < 0)",
      },
    ],
  },
  {
    id: "replayer-displaces",
    wrong: "A client has one half-open connection at a time: a new HELLO ends the one before.",
    claims: ["lockout"],
    changes: [
      {
        file: "server/own-commons.js",
        find: "const connections = this.#byClient.get(clientId);",
        replace: `for (const other of [...(this.#byClient.get(clientId) ?? [])])
            if (!other.live)
                other.member.abort();
        const connections = this.#byClient.get(clientId);`,
      },
    ],
  },
  {
    id: "revoked-let-in",
    wrong: "A client that was revoked is let in.",
    claims: ["identity"],
    changes: [
      {
        file: "protocol/hello-decision.js",
        find: "if (record === null || record.revoked) {",
        replace: "if (record === null) {",
      },
      {
        file: "server/keys/memory.js",
        find: "client.epoch !== expected.epoch ||\n            client.revoked !== null) {",
        replace: "client.epoch !== expected.epoch) {",
      },
    ],
  },
  {
    id: "revoked-lives-on",
    wrong: "A session goes on when its client is revoked.",
    claims: ["identity"],
    changes: [
      {
        file: "server/own-commons.js",
        find: "if (now === null || now.revoked)",
        replace: "if (now !== null && now.revoked)\n                continue;\n            if (now === null)",
      },
    ],
  },
];
