import type { Attack } from "../attack.ts";
import { is } from "../mitm/index.ts";

export const replayData: Attack = {
  id: "replay-data",
  claim: "replay",
  title: "A DATA packet once more",
  adversary: "A man in the middle who has recorded one DATA packet, and sends it again, bit for bit.",
  steps: [
    "A client speaks once, and is answered.",
    "The attacker sends its DATA of round 1 once more, in the same session.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const victim = await stage.victim();
    const mitm = await stage.mitm();
    await victim.say(await victim.connect(mitm));
    const data = mitm.recording.frames({ direction: "c2s" }).find(is("DATA"));
    if (data === undefined) throw new Error("no DATA was seen");
    const { connection, recording } = mitm;
    const watch = mitm.watch("server");
    connection.inject("c2s", data.bytes, "the DATA of round 1 once more");
    yield await stage.refusal({
      did: "sent the DATA of round 1 once more",
      recording,
      connection: connection.id,
      reaction: await watch.ended(),
      due: ["DesyncError"],
    });
  },
};
