import type { Mutant } from "../mutant.ts";

/** Mistakes in what the server grants to whom: a place in a round, time, room, silence (docs/PROTOCOL.md, 1.2, 2.5, 5). */
export const SERVER: readonly Mutant[] = [
  {
    id: "round-late",
    wrong: "A round waits for who is late, thirty times as long as it was told to.",
    claims: ["counting"],
    changes: [
      {
        file: "server/rounds/rounds.js",
        find: "this.#clock.after(this.#deadlineMs,",
        replace: "this.#clock.after(30 * this.#deadlineMs,",
      },
    ],
  },
  {
    id: "unknown-told",
    wrong: "Who is unknown to the server is told so.",
    claims: ["silence"],
    changes: [
      {
        file: "server/connection.js",
        find: "if (!inOrder)\n            this.#socket.destroy();",
        replace: `if (cause.kind === "violation" && cause.error.subject === "unknown")
            this.#socket.end("unknown client");
        else if (!inOrder)
            this.#socket.destroy();`,
      },
    ],
  },
  {
    id: "unknown-looked-for-longer",
    wrong: "Who is unknown to the server is looked for in a second, slower place.",
    claims: ["silence"],
    quiet: ["same-time"],
    changes: [
      {
        file: "server/record-access.js",
        find: "const record = await options.keys.lookUp(clientId);",
        replace: `const record = (await options.keys.lookUp(clientId)) ??
            (await new Promise((resolve) => setTimeout(resolve, 1, null)));`,
      },
    ],
  },
  {
    id: "deadline-off",
    wrong: "Nobody minds how late the first packet of a session comes.",
    claims: ["freshness"],
    changes: [
      {
        file: "server/connection.js",
        find: "this.#setDeadline(options.limits.firstPacketDeadlineMs);",
        replace: "this.#cancelDeadline();",
      },
    ],
  },
  {
    id: "hello-deadline-off",
    wrong: "Nobody minds how late HELLO comes.",
    claims: ["freshness"],
    changes: [
      {
        file: "server/connection.js",
        find: "this.#setDeadline(options.limits.helloDeadlineMs);",
        replace: "",
      },
    ],
  },
  {
    id: "handshake-length-unlimited",
    wrong: "A HELLO may be as long as any message.",
    claims: ["integrity"],
    backstop: "Half-open connections are bounded in their bytes all together, and in time.",
    changes: [
      {
        file: "protocol/server.js",
        find: "return MAX_HANDSHAKE_PACKET;",
        replace: "return this.#maxMessage;",
      },
    ],
  },
  {
    id: "first-length-unlimited",
    wrong: "The first DATA of a session may be as long as any other.",
    claims: ["integrity"],
    backstop: "Half-open connections are bounded in their bytes all together, and in time.",
    changes: [
      {
        file: "protocol/server.js",
        find: "this.#live ? this.#maxMessage : firstMessageLimit(this.#maxMessage)",
        replace: "this.#maxMessage",
      },
    ],
  },
  {
    id: "half-open-unlimited",
    wrong: "Half-open connections are counted, and never evicted.",
    claims: ["availability"],
    quiet: ["flood"],
    changes: [
      {
        file: "server/half-open.js",
        find: "if (!matches(counted))",
        replace: "if (counted !== undefined)",
      },
    ],
  },
  {
    id: "handshakes-unthrottled",
    wrong: "An address may make as many handshakes as it likes.",
    claims: ["availability"],
    quiet: ["flood"],
    changes: [
      {
        file: "server/bucket.js",
        find: "return allowed;",
        replace: "return true;",
      },
    ],
  },
  {
    id: "counted-twice",
    wrong: "What counts in a round is kept for each session, not for each client.",
    claims: ["counting"],
    changes: [
      {
        file: "server/rounds/rounds.js",
        find: "round.values.set(clientId, { session, value });",
        replace: "round.values.set(session, { session, value });",
      },
    ],
  },
];
