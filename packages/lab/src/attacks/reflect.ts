import { OPCODES } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { type Recording, replace, withHeader } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { dueFor } from "./support/due.ts";
import { lead } from "./support/lead.ts";
import { at, directionOf, opcodeOf, type Place } from "./support/place.ts";
import { inWaves } from "./support/waves.ts";

/** Which packet of its own a receiver gets, and in place of which. */
interface Mirror {
  readonly own: Place;
  readonly instead: Place;
}

const MIRRORS: readonly Mirror[] = [
  { own: "HELLO", instead: "CHALLENGE" },
  { own: "HELLO", instead: "AGGREGATE" },
  { own: "DATA", instead: "AGGREGATE" },
  { own: "CHALLENGE", instead: "DATA" },
];
/** The second DATA: no client needs to send one. */
const AGGREGATE: Mirror = { own: "AGGREGATE", instead: "DATA" };

export const reflectPackets: Attack = {
  id: "reflect",
  claim: "reflection",
  title: "A packet back to its sender",
  adversary: "A man in the middle who sends a side what it has sent itself, as if from the other side.",
  steps: [
    "In place of the server's CHALLENGE a client gets its own HELLO, in place of AGGREGATE its own HELLO or DATA.",
    "In place of a client's DATA the server gets its own CHALLENGE, in place of the second DATA its own AGGREGATE.",
    "Each as it was sent, and with direction, kind and round of the packet that is due.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const all = [...MIRRORS, AGGREGATE].flatMap((mirror) =>
      [false, true].map((disguised) => ({ ...mirror, disguised })),
    );
    const waves = inWaves(stage, all, (mirror) =>
      mirror.own === "AGGREGATE"
        ? aggregate(stage, mirror.disguised)
        : reflected(stage, mirror, mirror.disguised),
    );
    for await (const wave of waves) yield* wave;
  },
};

async function reflected(stage: Stage, { own, instead }: Mirror, disguised: boolean): Promise<Case> {
  let due: readonly string[] = [];
  const led = await lead(stage, await stage.victim(), instead, (frame, recording) => {
    const packet = packetOf(recording, own);
    const header = { direction: directionOf(instead) === "c2s" ? 0 : 1, opcode: OPCODES[opcodeOf(instead)] };
    const bytes = disguised ? withHeader(packet, { ...header, round: frame.header?.round ?? 0 }) : packet;
    due = dueFor(bytes, frame.bytes, instead, stage.suite);
    return replace(`its receiver's own ${own}`, bytes);
  });
  return stage.refusal({ ...told({ own, instead }, disguised), due, ...led });
}

async function aggregate(stage: Stage, disguised: boolean): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm();
  await victim.say(await victim.connect(mitm));
  const { recording, connection } = mitm;
  const packet = packetOf(recording, "AGGREGATE");
  const watch = mitm.watch("server");
  const bytes = disguised ? withHeader(packet, { direction: 0, opcode: OPCODES.DATA, round: 2 }) : packet;
  connection.inject("c2s", bytes, "its own AGGREGATE");
  return stage.refusal({
    ...told(AGGREGATE, disguised),
    recording,
    connection: connection.id,
    reaction: await watch.ended(),
    due: [disguised ? "HmacError" : "DirectionError"],
  });
}

function told({ own, instead }: Mirror, disguised: boolean): { name: string; did: string } {
  const to = directionOf(own) === "c2s" ? "the client" : "the server";
  const as = disguised ? `, with the header of ${instead}` : "";
  const name = `${own} in place of ${instead}${disguised ? ", with its header" : ""}`;
  return { name, did: `sent ${to} its own ${own} in place of ${instead}${as}` };
}

function packetOf(recording: Recording, place: Place): Uint8Array {
  const frame = recording.frames().find(at(place));
  if (frame === undefined) throw new Error(`no ${place} was seen`);
  return frame.bytes;
}
