import type { Attack, Case } from "../attack.ts";
import { is, type ObservedFrame, Recording, Watch } from "../mitm/index.ts";
import type { Mitm, Stage } from "../stage.ts";
import { Folder, victimWithFile } from "../world/on-disk.ts";
import type { Victim } from "../world/victim.ts";
import type { World } from "../world/world.ts";
import { callOf, oneSession } from "./support/outcome.ts";
import { eagerWorld, PATIENCE_MS } from "./support/private-world.ts";
import { bySession } from "./support/reading.ts";

/** Sessions before the copy of the database, and behind it. */
const BEFORE = 1;
const BEHIND = 3;

export const rollbackServer: Attack = {
  id: "rollback-server",
  claim: "rollback",
  title: "A server's key database, set back",
  adversary:
    "Who has recorded every session, and has an older copy of the database's files put in place of the newer.",
  steps: [
    "A client has sessions, the database is copied, the client goes on; then the copy is put back.",
    "The attacker plays the recorded sessions to the server: those of before the copy, of its epoch, and of later.",
    "The client comes back, in one attempt.",
  ],
  expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    const folder = await Folder.make();
    stage.defer(() => folder.remove());
    const recording = new Recording();
    let { world, mitm } = await open(stage, folder, recording);
    const victim = await victimWithFile(world, folder);
    for (let n = 0; n < BEFORE; n++) await oneSession(victim, mitm);
    await world.close();
    const copy = await folder.copy();
    stage.defer(() => copy.remove());
    ({ world, mitm } = await open(stage, folder, recording));
    for (let n = 0; n < BEHIND; n++) await oneSession(victim, mitm);
    await world.close();
    const sessions = bySession(recording.frames());

    await folder.putBackDatabase(copy);
    ({ world, mitm } = await open(stage, folder, recording));
    for (const session of sessions) yield await playAgain(stage, world, victim, session);
    yield await comesBack(world, mitm, victim);
    // Now its epoch is behind it for good.
    for (const session of stage.full ? sessions : sessions.slice(-1))
      yield await playAgain(stage, world, victim, session);
  },
};

async function open(
  stage: Stage,
  folder: Folder,
  recording: Recording,
): Promise<{ world: World; mitm: Mitm }> {
  const keys = await folder.openDatabase();
  const world = await eagerWorld(stage, { keys });
  return { world, mitm: await stage.mitm({ upstream: world.at, recording }) };
}

/** A HELLO of the copy's epoch, or of a later one, is answered: it is the client's. What follows it is of another session. */
async function playAgain(
  stage: Stage,
  world: World,
  { clientId }: Victim,
  session: readonly ObservedFrame[],
): Promise<Case> {
  const stored = (await world.keys.get(clientId))?.epoch ?? 0;
  const recording = new Recording();
  const attacker = await stage.attacker(recording, { at: world.at });
  const all = new Watch(recording, attacker.id, "server");
  for (const frame of session.filter(({ direction }) => direction === "c2s")) {
    const watch = new Watch(recording, attacker.id, "server");
    attacker.send(frame.bytes, `${frame.header?.opcode} of the recorded session`);
    if ((await watch.frames(1, PATIENCE_MS)).ended !== null) break;
  }
  const { frames, ended } = all.now;
  const answered = frames.filter(is("AGGREGATE")).length;
  const epoch = session[0]?.header?.epoch ?? 0;
  const opcodes = frames.map(({ header }) => header?.opcode ?? "a frame").join(", ");
  return {
    name: `a session of epoch ${epoch}, where ${stored} is stored`,
    did: `played the client's recorded session of epoch ${epoch}, on a connection of his own`,
    happened: `the server sent ${opcodes === "" ? "not a byte" : opcodes} and ${ended === null ? "did not close" : `closed (${ended.toUpperCase()})`}`,
    worked: answered > 0 || ended === null,
    refusedBy: await stage.refusedBy(recording, attacker.id, world),
    due: epoch < stored ? ["EpochError"] : ["HmacError"],
    recording,
  };
}

async function comesBack(world: World, mitm: Mitm, victim: Victim): Promise<Case> {
  const { recording } = mitm;
  const contact = await callOf(oneSession(victim, mitm));
  const stored = await world.keys.get(victim.clientId);
  return {
    name: "the client comes back",
    did: `set the database back by ${BEHIND} epochs, and played all that he had`,
    happened: `the client ${contact.text} in one attempt; the server is at epoch ${stored?.epoch}`,
    worked: !contact.ok,
    refusedBy: null,
    due: null,
    recording,
  };
}
