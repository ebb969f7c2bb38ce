import { setTimeout as sleep } from "node:timers/promises";
import type { PawlConnection } from "@pawl/client";
import type { Attack, Case } from "../attack.ts";
import type { Stage } from "../stage.ts";
import { outcomeOf, type Victim } from "../world/victim.ts";

/** Within which the sessions of a client that was revoked have to end (PROTOCOL.md, 4.5.4), milliseconds. */
const WITHIN_MS = 1_000;

export const revokedClient: Attack = {
  id: "revoked-client",
  claim: "identity",
  title: "A client that was revoked",
  adversary: "Who has stolen a client's credential, and goes on using it when the operator has revoked it.",
  steps: [
    "The client is revoked. He says HELLO with its true secret.",
    "He is let in, the client is revoked, and he speaks for the first time.",
    "He is in a session, the client is revoked, and he speaks on.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    yield await beforeHello(stage);
    yield await inSession(stage, { name: "before its first message", rounds: 0 });
    yield await inSession(stage, { name: "in a live session", rounds: 1 });
  },
};

function revoke(stage: Stage, { clientId }: Victim): Promise<unknown> {
  return stage.own.keys.revoke(clientId, "its credential was stolen");
}

async function beforeHello(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm();
  await revoke(stage, victim);
  const { value: session } = await outcomeOf(victim.connect(mitm));
  const answers = mitm.recording.frames({ direction: "s2c" }).length;
  return {
    name: "before HELLO",
    did: "said HELLO with the true secret of a client that was revoked",
    happened: session !== null ? "he was let in" : `he got ${answers} packets, and was not let in`,
    worked: session !== null || answers > 0,
    refusedBy: await stage.refusedBy(mitm.recording, mitm.connection.id),
    due: ["IdentityError"],
    recording: mitm.recording,
  };
}

async function inSession(stage: Stage, { name, rounds }: { name: string; rounds: number }): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm();
  const session = await victim.connect(mitm);
  for (let round = 0; round < rounds; round++) await victim.say(session);
  await revoke(stage, victim);
  const { value: answer } = await outcomeOf(victim.say(session));
  const ended = await endOf(session);
  const counted = await stage.counted(victim);
  const isCounted = counted !== null && counted > rounds;
  return {
    name,
    did: `had the client revoked ${rounds === 0 ? "behind CHALLENGE" : `after ${rounds} round`}, and spoke`,
    happened: `he was ${answer === null ? "not " : ""}answered${isCounted ? ", and counted" : ""}; the session ${ended ?? "went on"}`,
    worked: answer !== null || isCounted || ended === null,
    refusedBy: null,
    due: null,
    recording: mitm.recording,
  };
}

/** How a session ended; null where it did not in time. */
async function endOf({ closed }: PawlConnection): Promise<string | null> {
  const end = await Promise.race([closed, sleep(WITHIN_MS, null, { ref: false })]);
  if (end === null) return null;
  return end.reason === null ? "was closed" : `got TERMINATE (${end.reason})`;
}
