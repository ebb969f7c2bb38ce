import { CLASSIC, type ClientId, type Epoch, isPossibleLength, LENGTH_BYTES, SUITES } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { type ObservedFrame, replace, withHeader } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { Victim } from "../world/victim.ts";
import { BASEKEY } from "../world/world.ts";
import { stolenFrom } from "./support/credential.ts";
import { dueFor } from "./support/due.ts";
import { type Claimed, ForgedClient, forgeChallenge } from "./support/forge.ts";
import { lead } from "./support/lead.ts";
import { present } from "./support/present.ts";

export const downgrade: Attack = {
  id: "downgrade-suite",
  claim: "downgrade",
  title: "A client moved to another suite",
  adversary:
    "A man in the middle, or who knows a client's id: he holds no secret, and classic needs none where its base key is the well-known one.",
  steps: [
    "The attacker writes another suite into a client's HELLO, against its server and against one that runs all suites.",
    "He says HELLO in classic in the client's name, under the well-known base key, against both servers.",
    "He answers a client's HELLO in classic, under the well-known base key, or writes another suite into CHALLENGE.",
  ],
  expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    const others = SUITES.filter((suite) => suite !== stage.suite);
    const all = await stage.privateWorld({ also: others });
    const [there] = await all.enrol(1);
    if (there === undefined) throw new Error("no client could be enrolled");

    for (const { world, client } of [
      { world: stage.own, client: await stage.victim() },
      { world: all, client: new Victim(there) },
    ]) {
      const server = world === all ? "to a server of all suites" : "to its server";
      // As a man in the middle sees it.
      const hello = new ForgedClient(await stolenFrom(client)).hello();
      for (const suite of others) {
        const name = `HELLO as ${suite.name}, ${server}`;
        const did = `wrote suite ${suite.name} into the client's HELLO`;
        const known = world === all && isPossibleLength(suite, hello.length - LENGTH_BYTES);
        const due = [known ? "SuiteError" : "FormatError"];
        yield await present(stage, { name, did, frame: withHeader(hello, { suite }), due, world });
      }
      yield await present(stage, {
        name: `HELLO of classic, ${server}`,
        did: "said HELLO in classic in the client's name, under the well-known base key",
        frame: new ForgedClient(inClassic(client.clientId)).hello(),
        due: [world === all ? "SuiteError" : "FormatError"],
        world,
      });
    }
    yield await challenge(
      stage,
      "CHALLENGE of classic",
      "answered in classic, under the well-known base key",
      (frame) => forgeChallenge(inClassic(clientOf(frame))),
    );
    for (const suite of others) {
      const did = `wrote suite ${suite.name} into CHALLENGE`;
      yield await challenge(stage, `CHALLENGE as ${suite.name}`, did, ({ bytes }) =>
        withHeader(bytes, { suite }),
      );
    }
  },
};

async function challenge(
  stage: Stage,
  name: string,
  did: string,
  change: (frame: ObservedFrame) => Uint8Array,
): Promise<Case> {
  let due: readonly string[] = [];
  const led = await lead(stage, await stage.victim(), "CHALLENGE", (frame) => {
    const altered = change(frame);
    due = dueFor(altered, frame.bytes, "CHALLENGE", stage.suite);
    return replace(did, altered);
  });
  return stage.refusal({ name: `${name}, to the client`, did, due, ...led });
}

/** What everybody holds of a client of classic whose server has the base key that it has unless configured. */
function inClassic(clientId: ClientId): Claimed {
  return { suite: CLASSIC, clientId, epoch: 0 as Epoch, secret: BASEKEY };
}

function clientOf({ header }: ObservedFrame): ClientId {
  if (header === null) throw new Error("a packet without a header");
  return header.clientId;
}
