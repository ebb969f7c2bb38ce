import { SECRET_BYTES } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import type { Attack, Case } from "../attack.ts";
import { each, reflect, Watch } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { errorName, outcomeOf } from "../world/victim.ts";
import { BASEKEY } from "../world/world.ts";
import { stolenFrom } from "./support/credential.ts";

export const selfie: Attack = {
  id: "selfie",
  claim: "reflection",
  title: "A node that talks to itself: the Selfie attack of RFC 9257",
  adversary:
    "A man in the middle of a node that is client and server at once: he leads its connections back to itself.",
  steps: [
    "A node's client connects to another node. The attacker sends back all that it sends.",
    "He connects it to the node's own server instead, which has a secret of its own under the same id, as it must (4.2).",
    "He does the same with a node that breaks the rule, and has one secret for both roles.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness:
    "In classic all servers that were not given a base key of their own have the same keys (PROTOCOL.md, 3.3 b).",
  needs: ["own-server"],
  async *run(stage) {
    yield { ...(await mirrored(stage)), expected: "fails" };
    const { strict } = stage.suite;
    yield await routed(stage, "two secrets", strict ? systemRandom(SECRET_BYTES) : BASEKEY);
    // Against the rule: nothing promises that this fails.
    if (strict) yield { ...(await routed(stage, "one secret, against the rule", null)), expected: "works" };
  },
};

async function mirrored(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  let watch: Watch | null = null;
  const mitm = await stage.mitm({
    upstream: null,
    program: ({ recording }) =>
      each((frame) => {
        watch ??= Watch.behind(frame, recording);
        return reflect;
      }),
  });
  const { error } = await outcomeOf(victim.connect(mitm));
  if (watch === null) throw new Error("no HELLO was seen");
  return stage.refusal({
    name: "all that it sends",
    did: "sent back to the client all that it sent",
    recording: mitm.recording,
    connection: mitm.connection.id,
    reaction: await (watch as Watch).ended(),
    accepted: error === null,
    error: error ?? undefined,
    due: ["DirectionError"],
  });
}

/** @param secret of the node's own server under this id; null: the client's own */
async function routed(stage: Stage, name: string, secret: Uint8Array | null): Promise<Case> {
  const victim = await stage.victim();
  const own = await stolenFrom(victim);
  const node = await stage.privateWorld({});
  const { clientId, suite } = own;
  await node.keys.add([{ clientId, suite, secret: secret ?? own.secret }]);
  const mitm = await stage.mitm({ upstream: node.at });
  const greeting = await outcomeOf(victim.connect(mitm));
  const answer = greeting.value === null ? null : await outcomeOf(victim.say(greeting.value));
  const { recording, connection } = mitm;
  const refusedBy = answer?.value == null ? await stage.refusedBy(recording, connection.id, node) : null;
  const error = greeting.error ?? answer?.error;
  if (error != null) recording.note(`the client: ${errorName(error)}`, connection.id);
  return {
    name: `its own server, ${name}`,
    did: "connected the client to its own node's server",
    happened:
      answer?.value == null
        ? "the server closed in silence, the client was not greeted"
        : `the node counted its own message: it was told an aggregate of ${answer.value.contributors}`,
    worked: answer?.value != null,
    refusedBy,
    due: ["HmacError"],
    recording,
  };
}
