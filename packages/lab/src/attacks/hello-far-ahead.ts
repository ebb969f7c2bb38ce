import { DEFAULT_WINDOW, LAST_EPOCH } from "@pawl/protocol";
import type { Attack } from "../attack.ts";
import { is, Recording, Watch, withHeader } from "../mitm/index.ts";

export const helloFarAhead: Attack = {
  id: "hello-far-ahead",
  claim: "availability",
  title: "HELLOs of epochs that are far away",
  adversary:
    "Who has seen a HELLO, and sends it with epochs so far ahead that a server would work for hours to find it forged.",
  steps: [
    "A client greets the server. The attacker sends its HELLO with epochs beyond the window, up to the last.",
    "The server has to refuse each at once: a derivation for each epoch would be its own attacker.",
  ],
  // In classic every epoch but 0 is wrong.
  expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const victim = await stage.victim();
    const mitm = await stage.mitm();
    const { epoch } = await victim.connect(mitm);
    const hello = mitm.recording.frames({ direction: "c2s" }).find(is("HELLO"));
    if (hello === undefined) throw new Error("no HELLO was seen");
    const beyond = [epoch + DEFAULT_WINDOW + 1, 100_000, 2 ** 31, LAST_EPOCH - 1, LAST_EPOCH];
    const recording = new Recording();
    for (const to of beyond) {
      const attacker = await stage.attacker(recording);
      const watch = new Watch(recording, attacker.id, "server");
      attacker.send(withHeader(hello.bytes, { epoch: to }), `the HELLO with epoch ${to}`);
      yield await stage.refusal({
        name: `epoch ${to}`,
        did: `sent a HELLO with epoch ${to} in its header, where ${epoch} is stored`,
        recording,
        connection: attacker.id,
        reaction: await watch.ended(),
        due: ["EpochError"],
      });
    }
  },
};
