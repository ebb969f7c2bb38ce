import { SECRET_BYTES } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { type ObservedFrame, Watch } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { outcomeOf, type Victim } from "../world/victim.ts";
import { BASEKEY } from "../world/world.ts";
import { stolenFrom } from "./support/credential.ts";
import { forgeChallenge, shapeOf } from "./support/forge.ts";
import { impostor } from "./support/impostor.ts";

/** Of plaintext: `H(HELLO) ‖ nonce ‖ maxMessage ‖ kind` in strict, a nonce in classic. */
const CHALLENGE_BYTES = { strict: 69, classic: 16 };

export const impersonateServer: Attack = {
  id: "impersonate-server",
  claim: "identity",
  title: "An impostor in the server's place",
  adversary: "Who can make a client connect to him, and holds no secret of it or that of another client.",
  steps: [
    "A client connects to the attacker, and says HELLO.",
    "He answers with a CHALLENGE of random bytes.",
    "Or with one under keys that need no secret: a secret of zeros, in classic the well-known base key.",
    "Or with one under the secret of another client, which he has stolen.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness:
    "In classic a client's keys come from its id and one base key for all, `basekey` unless configured (PROTOCOL.md, 3.3 b).",
  needs: ["second-client"],
  async *run(stage) {
    const [other, victim] = await stage.newVictims(2);
    if (other === undefined || victim === undefined) throw new Error("two clients are needed");
    const { suite } = stage;
    const bytes = suite.strict ? CHALLENGE_BYTES.strict : CHALLENGE_BYTES.classic;
    const random = ({ header }: ObservedFrame) => {
      if (header === null) throw new Error("a HELLO without a header");
      return shapeOf({ ...header, opcode: "CHALLENGE", direction: "s2c", bytes });
    };
    yield { ...(await answer(stage, victim, "random bytes", random)), expected: "fails" };
    const mine = await stolenFrom(victim);
    const needsNone = suite.strict ? new Uint8Array(SECRET_BYTES) : BASEKEY;
    const called = suite.strict ? "a secret of zeros" : "the well-known base key";
    yield await answer(stage, victim, called, (hello) =>
      forgeChallenge({ ...mine, secret: needsNone }, hello.bytes),
    );
    const { secret } = await stolenFrom(other);
    yield await answer(stage, victim, "another client's secret", (hello) =>
      forgeChallenge({ ...mine, secret }, hello.bytes),
    );
  },
};

async function answer(
  stage: Stage,
  victim: Victim,
  name: string,
  challenge: (hello: ObservedFrame) => Uint8Array,
): Promise<Case> {
  let watch: Watch | null = null;
  const mitm = await impostor(stage, (frame, { recording }) => {
    watch ??= Watch.behind(frame, recording);
    return { bytes: challenge(frame), note: `a CHALLENGE: ${name}` };
  });
  const { error } = await outcomeOf(victim.connect(mitm));
  if (watch === null) throw new Error("no HELLO was seen");
  return stage.refusal({
    name,
    did: `answered its HELLO with a CHALLENGE: ${name}`,
    recording: mitm.recording,
    connection: mitm.connection.id,
    reaction: error === null ? (watch as Watch).now : await (watch as Watch).ended(),
    accepted: error === null,
    error: error ?? undefined,
    due: ["HmacError"],
  });
}
