import { SECRET_BYTES } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import type { Attack, Case } from "../attack.ts";
import { Recording } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { Folder, victimWithFile } from "../world/on-disk.ts";
import type { World } from "../world/world.ts";
import { callOf, oneSession } from "./support/outcome.ts";
import { eagerWorld } from "./support/private-world.ts";
import { inWaves } from "./support/waves.ts";

export const rollbackClient: Attack = {
  id: "rollback-client",
  claim: "rollback",
  title: "A client's file, set back",
  adversary: "Who puts an older copy of a client's file in place of the one that is there.",
  steps: [
    "A client has sessions. The attacker puts back a copy of its file of one epoch before, or of several.",
    "The client connects with it. It is refused, and the server says why; a reissued file brings it back.",
  ],
  expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    const world = await eagerWorld(stage);
    const folder = await Folder.make();
    stage.defer(() => folder.remove());
    const epochs = stage.full ? [1, 2, 3, 5, 8, 70] : [1, 3];
    for await (const cases of inWaves(stage, epochs, (by) => setBack(stage, world, folder, by))) yield* cases;
  },
};

async function setBack(stage: Stage, world: World, folder: Folder, epochs: number): Promise<Case> {
  const victim = await victimWithFile(world, folder);
  const { clientId, suite } = victim;
  const recording = new Recording();
  const at = await stage.mitm({ upstream: world.at, recording });
  await oneSession(victim, at);
  const copy = await folder.copy();
  stage.defer(() => copy.remove());
  for (let n = 0; n < epochs; n++) await oneSession(victim, at);

  await folder.putBackCredential(clientId, copy);
  const contact = await callOf(victim.connect(at));
  const refusedBy = await stage.refusedBy(recording, at.connection.id, world);
  const event = await world.events.find("stale-epoch", (stale) => stale.clientId === clientId);

  const secret = systemRandom(SECRET_BYTES);
  await world.keys.reissue(clientId, secret, "its file was set back");
  await folder.issue(suite, clientId, secret);
  const reissued = await callOf(oneSession(victim, at));
  return {
    name: `by ${epochs}`,
    did: `put back the client's file of ${epochs} epoch${epochs === 1 ? "" : "s"} before`,
    happened: `it ${contact.text}${event === null ? ", no event" : `, event ${event.type}`}; reissued, it ${reissued.text}`,
    worked: contact.ok || event === null || !reissued.ok,
    refusedBy,
    due: ["EpochError"],
    recording,
  };
}
