import type { Change, Mutant } from "../mutant.ts";

/** Decrypts a packet, and looks at its padding, before its tag is compared. */
const decryptsFirst: Change = {
  file: "protocol/record.js",
  find: `if (!crypto.equal(tag, parts.tag))
        throw new HmacError("the tag is wrong");
    const plaintext = crypto.cbcDecrypt(keys.enc, parts.iv, parts.ciphertext);
    if (plaintext === null)
        throw new FormatError("the padding of the last block is wrong");`,
  replace: `const plaintext = crypto.cbcDecrypt(keys.enc, parts.iv, parts.ciphertext);
    if (plaintext === null)
        throw new FormatError("the padding of the last block is wrong");
    if (!crypto.equal(tag, parts.tag))
        throw new HmacError("the tag is wrong");`,
};

/** Mistakes in how one packet is sealed and opened (docs/PROTOCOL.md, 1 and 4.3). */
export const PACKETS: readonly Mutant[] = [
  {
    id: "tag-unchecked",
    wrong: "The tag of a packet is computed, and not compared.",
    claims: ["integrity"],
    changes: [
      {
        file: "protocol/record.js",
        find: "if (!crypto.equal(tag, parts.tag))",
        replace: "if (tag.length !== parts.tag.length)",
      },
    ],
  },
  {
    id: "tag-unchecked-gcm",
    wrong: "GCM decrypts, and the end that would verify the tag is never called.",
    claims: ["integrity"],
    suite: "strict-gcm",
    changes: [
      {
        file: "protocol/crypto/node.js",
        find: `decipher.setAuthTag(tag);
        const head = decipher.update(ciphertext);
        try {
            return joined(head, decipher.final());`,
        replace: `const head = decipher.update(ciphertext);
        try {
            return plain(head);`,
      },
    ],
  },
  {
    id: "handshake-tag-unchecked",
    wrong: "HELLO and CHALLENGE are decrypted without a look at their tag.",
    claims: ["integrity"],
    changes: [
      {
        file: "protocol/record.js",
        find: "const { message } = contentOf(header, openPacket(crypto, keys, header.suite, packet));",
        replace: `const { iv, ciphertext } = splitPacket(header.suite, packet);
        const plaintext = crypto.cbcDecrypt(keys.enc, iv, ciphertext);
        if (plaintext === null)
            throw new FormatError("the padding of the last block is wrong");
        const { message } = contentOf(header, plaintext);`,
      },
    ],
  },
  {
    id: "tag-short",
    wrong: "Only the first four bytes of a tag are compared.",
    claims: ["integrity"],
    changes: [
      {
        file: "protocol/crypto/node.js",
        find: "return a.length === b.length && timingSafeEqual(a, b);",
        replace: "return a.length === b.length && timingSafeEqual(a.subarray(0, 4), b.subarray(0, 4));",
      },
    ],
  },
  {
    id: "terminate-tag-unchecked",
    wrong: "TERMINATE is believed as it comes: there is nothing in it to protect.",
    claims: ["truncation"],
    changes: [
      {
        file: "protocol/session.js",
        find: "const reason = this.reasonOf(this.open(received));",
        replace: 'this.checkDue(received);\n                const reason = "done";',
      },
    ],
  },
  {
    id: "decrypt-first",
    wrong: "A packet is decrypted before its tag is compared, and wrong padding is refused at once.",
    claims: ["integrity"],
    backstop: "What it tells apart is not to be seen on the wire, but in the time that it takes.",
    changes: [decryptsFirst],
  },
  {
    id: "padding-oracle",
    wrong: "A packet is decrypted before its tag is compared, and whose padding is wrong is told so.",
    claims: ["silence"],
    changes: [
      decryptsFirst,
      {
        file: "server/connection.js",
        find: "if (!inOrder)\n            this.#socket.destroy();",
        replace: `if (cause.kind === "violation" && cause.error.message.includes("padding"))
            this.#socket.end("bad padding");
        else if (!inOrder)
            this.#socket.destroy();`,
      },
    ],
  },
  {
    id: "error-answered",
    wrong: "Who breaks the rules in a session is told so, by a TERMINATE.",
    claims: ["silence"],
    changes: [
      {
        file: "protocol/session.js",
        find: 'this.end({ kind: "violation", error });',
        replace: `if (this.sealer !== null && this.peer.suite.strict)
                this.seal("TERMINATE", { message: Uint8Array.of(0), kind: "message" }, 1, this.crypto.sha256(Uint8Array.of(this.tx)));
            this.end({ kind: "violation", error });`,
      },
    ],
  },
  {
    id: "iv-fixed",
    wrong: "Every packet has the same IV, since every packet has keys of its own anyway.",
    claims: ["confidentiality"],
    changes: [
      {
        file: "protocol/record.js",
        find: "parts.iv[i] = iv[i] ?? 0;",
        replace: "parts.iv[i] = 0;",
      },
    ],
  },
  {
    id: "nonce-fixed-gcm",
    wrong: "GCM takes the round for its nonce, and HELLO has round 0 each time.",
    claims: ["confidentiality"],
    suite: "strict-gcm",
    changes: [
      {
        file: "protocol/record.js",
        find: "parts.iv[i] = iv[i] ?? 0;",
        replace: "writeU32(parts.iv, header.round, suite.ivBytes - 4);",
      },
    ],
  },
  {
    id: "plaintext-sent",
    wrong: "The cipher of a debug build is still in place, which is none.",
    claims: ["confidentiality"],
    changes: [
      {
        file: "protocol/record.js",
        find: "parts.ciphertext.set(crypto.cbcEncrypt(keys.enc, parts.iv, plaintext));",
        replace: `parts.ciphertext.fill(parts.ciphertext.length - plaintext.length);
        parts.ciphertext.set(plaintext);`,
      },
      {
        file: "protocol/record.js",
        find: "const plaintext = crypto.cbcDecrypt(keys.enc, parts.iv, parts.ciphertext);",
        replace: "const plaintext = parts.ciphertext.slice(0, -(parts.ciphertext.at(-1) ?? 0));",
      },
    ],
  },
  {
    id: "padding-ignored",
    wrong: "The padding policy is accepted, and nothing is padded.",
    claims: ["lengths"],
    changes: [
      {
        file: "protocol/record.js",
        find: "paddedLength(padded ? padding : NO_PADDING,",
        replace: "paddedLength(NO_PADDING,",
      },
    ],
  },
];
