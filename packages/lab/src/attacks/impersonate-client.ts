import { clientId, SECRET_BYTES, utf8 } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import type { Attack, Case } from "../attack.ts";
import { is, Recording, replace, Watch, withHeader } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import type { Victim } from "../world/victim.ts";
import { BASEKEY } from "../world/world.ts";
import { stolenFrom } from "./support/credential.ts";
import { type Claimed, ForgedClient } from "./support/forge.ts";
import { lead } from "./support/lead.ts";

const UNKNOWN = "an unknown client";
/** An id that no server of the lab has given to anybody. */
const NOBODY = clientId(0xffff_fffe);
/** A message that changes no aggregate: the honest clients' product stays as it is. */
const HARMLESS = utf8("1");

export const impersonateClient: Attack = {
  id: "impersonate-client",
  claim: "identity",
  title: "One client in another's name",
  adversary: "Who knows a client's id, and holds no secret or that of another client.",
  steps: [
    "He says HELLO in the name of a client that there is not, and of one that there is, under random keys.",
    "He says HELLO in its name under keys that need no secret: a secret of zeros, in classic the well-known base key.",
    "He says HELLO in its name under the secret of another client, which he has stolen.",
    "He writes its id into another client's HELLO and DATA.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness:
    "In classic a client's keys come from its id and one base key for all, `basekey` unless configured (PROTOCOL.md, 3.3 b).",
  needs: ["second-client"],
  async *run(stage) {
    const [other, victim] = await stage.newVictims(2);
    if (other === undefined || victim === undefined) throw new Error("two clients are needed");
    const { strict } = stage.suite;
    const claimed = await stolenFrom(victim);
    const random = { ...claimed, secret: systemRandom(SECRET_BYTES) };

    yield await hello(stage, UNKNOWN, { ...random, clientId: NOBODY }, "IdentityError");
    yield await hello(stage, "a random secret", random, "HmacError");
    const needsNone = strict ? new Uint8Array(SECRET_BYTES) : BASEKEY;
    const called = strict ? "a secret of zeros" : "the well-known base key";
    const known = await hello(stage, called, { ...claimed, secret: needsNone }, "HmacError");
    yield strict ? known : { ...known, expected: "works" };
    const { secret } = await stolenFrom(other);
    const thief = await hello(stage, "another client's secret", { ...claimed, secret }, "HmacError");
    yield strict ? thief : { ...thief, expected: "works" };
    yield await renamed(stage, "HELLO", other, victim);
    yield await renamed(stage, "DATA", other, victim);
  },
};

/** HELLO alone may be answered to who replays one: he is taken for the client when his DATA is. */
async function hello(stage: Stage, name: string, claimed: Claimed, due: string): Promise<Case> {
  const recording = new Recording();
  const attacker = await stage.attacker(recording);
  const client = new ForgedClient(claimed);
  const all = new Watch(recording, attacker.id, "server");
  attacker.send(client.hello(), `a HELLO under ${name}`);
  const [challenge] = (await all.frames(1)).frames.filter(is("CHALLENGE"));
  const further = challenge !== undefined && client.challenged(challenge.bytes);
  if (further) attacker.send(client.data(HARMLESS), `a DATA under ${name}`);
  const reaction = await all.frames(further ? 2 : 1);
  const one = await stage.refusal({
    name,
    did: `said HELLO in ${name === UNKNOWN ? "the name of nobody" : `the client's name, under ${name}`}${further ? ", and DATA behind it" : ""}`,
    recording,
    connection: attacker.id,
    reaction,
    due: [due],
    expected: "fails",
  });
  if (reaction.ended === null) {
    // Classic refuses the next one as long as this session is there.
    attacker.end("fin");
    await all.ended();
  }
  return one;
}

async function renamed(stage: Stage, place: "HELLO" | "DATA", of: Victim, as: Victim): Promise<Case> {
  const { clientId } = as;
  return stage.refusal({
    name: `another client's ${place}`,
    did: `wrote the client's id into another one's ${place}`,
    due: [place === "HELLO" ? "HmacError" : "IdentityError"],
    expected: "fails",
    ...(await lead(stage, of, place, ({ bytes }) =>
      replace(`clientId = ${clientId}`, withHeader(bytes, { clientId })),
    )),
  });
}
