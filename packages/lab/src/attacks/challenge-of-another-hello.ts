import type { Attack } from "../attack.ts";
import { cut, drop, inject, is, type ObservedFrame, type Program, until, Watch } from "../mitm/index.ts";
import { outcomeOf } from "../world/victim.ts";
import { PATIENCE_MS } from "./support/private-world.ts";

export const challengeOfAnotherHello: Attack = {
  id: "challenge-of-another-hello",
  claim: "session-replay",
  title: "A CHALLENGE that answers another HELLO of the same client",
  adversary:
    "A man in the middle who keeps a CHALLENGE back, and plays the server when the client comes again.",
  steps: [
    "A client says HELLO. The attacker keeps the server's CHALLENGE, and cuts the connection.",
    "The client says HELLO again, at the same epoch. The attacker answers with the CHALLENGE that he has.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness: "A CHALLENGE of classic says nothing of the HELLO that it answers (PROTOCOL.md, 3.3 a).",
  async *run(stage) {
    const victim = await stage.victim();
    const server = await stage.mitm({ program: keepChallenge });
    await outcomeOf(victim.connect(server));
    const challenge = server.recording.frames({ direction: "s2c" }).find(is("CHALLENGE"));
    if (challenge === undefined) throw new Error("no CHALLENGE was seen");

    const watches: Watch[] = [];
    const mitm = await stage.mitm({
      upstream: null,
      program: ({ recording }) =>
        answerWith(challenge.bytes, (hello) => {
          // Where the client's file is let go of first, its connection has ended before its caller knows.
          watches.push(Watch.behind(hello, recording));
        }),
    });
    const { value: session, error } = await outcomeOf(victim.connect(mitm));
    const [watch] = watches;
    if (watch === undefined) throw new Error("no second HELLO was seen");
    // Who has taken the answer for his server's speaks now.
    if (session !== null) void outcomeOf(session.send(String(victim.prime)));
    const reaction = session === null ? await watch.ended(PATIENCE_MS) : await watch.frames(1, PATIENCE_MS);
    yield await stage.refusal({
      did: "answered the client's second HELLO with the CHALLENGE of its first",
      recording: mitm.recording,
      connection: mitm.connection.id,
      reaction,
      due: ["FreshnessError"],
      accepted: session !== null,
      ...(error === null ? {} : { error }),
    });
  },
};

function* keepChallenge(): Program {
  yield* until(is("CHALLENGE"));
  yield cut("rst");
}

function* answerWith(challenge: Uint8Array, seen: (hello: ObservedFrame) => void): Program {
  seen(yield* until(is("HELLO")));
  yield [...drop, inject("s2c", challenge, "the CHALLENGE that answered the HELLO before")];
}
