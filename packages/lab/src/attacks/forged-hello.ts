import { DEFAULT_WINDOW } from "@pawl/protocol";
import type { Attack } from "../attack.ts";
import { is, Recording, Watch, withHeader } from "../mitm/index.ts";
import { callOf, oneSession } from "./support/outcome.ts";
import { eagerWorld, PATIENCE_MS } from "./support/private-world.ts";

export const forgedHello: Attack = {
  id: "forged-hello",
  claim: "lockout",
  title: "Forged HELLOs of a client's own and of later epochs",
  adversary: "Who has recorded a client's HELLO, and sends it to the server with other epochs in its header.",
  steps: [
    "A client has a session. The attacker sends its HELLO with the stored epoch, and with epochs ahead of it.",
    "The client connects once.",
  ],
  expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    const world = await eagerWorld(stage);
    const victim = await world.victim();
    const mitm = await stage.mitm({ upstream: world.at });
    await oneSession(victim, mitm);
    const hello = mitm.recording.frames({ direction: "c2s" }).find(is("HELLO"));
    if (hello === undefined) throw new Error("no HELLO was seen");
    const stored = async () => (await world.keys.get(victim.clientId))?.epoch ?? 0;
    const before = await stored();
    const ahead = stage.full
      ? Array.from({ length: DEFAULT_WINDOW + 2 }, (_, n) => n)
      : [0, 1, 5, DEFAULT_WINDOW, DEFAULT_WINDOW + 1];
    for (const n of ahead) {
      const forged = withHeader(hello.bytes, { epoch: before + n });
      const recording = new Recording();
      const attacker = await stage.attacker(recording, { at: world.at });
      const watch = new Watch(recording, attacker.id, "server");
      attacker.send(forged, `a HELLO ${n} ahead`);
      yield await stage.refusal({
        name: `${n} ahead`,
        did: `sent a recorded HELLO with epoch ${before + n} in its header, where ${before} is stored`,
        recording,
        connection: attacker.id,
        reaction: await watch.ended(PATIENCE_MS),
        due: [n <= DEFAULT_WINDOW ? "HmacError" : "EpochError"],
        world,
      });
    }
    const after = await stored();
    const contact = await callOf(oneSession(victim, world.at));
    yield {
      name: "the client comes back",
      did: "let the client connect, behind all that he had forged",
      happened: `the server was at epoch ${before} and is at ${after}; the client ${contact.text} in one attempt`,
      worked: !contact.ok || after !== before,
      refusedBy: null,
      due: null,
      recording: mitm.recording,
    };
  },
};
