import type { Attack, Case } from "../attack.ts";
import { cut, type EndOfStream, type Recording } from "../mitm/index.ts";
import type { Mitm, Stage } from "../stage.ts";
import { errorName, outcomeOf, type Victim } from "../world/victim.ts";
import { supersede } from "./support/lead.ts";
import { type Place, placesOf, untilPlace } from "./support/place.ts";
import { inWaves } from "./support/waves.ts";

/** Where the stream is cut: how much of the packet at a place still passes. */
interface Cut {
  readonly place: Place;
  readonly part: "none" | "half" | "whole";
  readonly how: EndOfStream;
}

const PARTS: Readonly<Record<Place, readonly Cut["part"][]>> = {
  HELLO: ["half"],
  CHALLENGE: ["none", "half", "whole"],
  DATA: ["half"],
  AGGREGATE: ["none", "half", "whole"],
  "TERMINATE c2s": ["none"],
  "TERMINATE s2c": ["none"],
};

const WHERE = { none: "before", half: "in the middle of", whole: "behind" } as const;

export const truncate: Attack = {
  id: "truncate",
  claim: "truncation",
  title: "A stream that is cut",
  adversary: "A man in the middle who ends both streams of a connection, in order (FIN) or at once (RST).",
  steps: [
    "A client connects, speaks, and ends its session, or the server ends it, through the attacker.",
    "He cuts both streams: before, in the middle of or behind one of the packets.",
    "What counts is what the client's caller and the server's operator are told: a cut, or an end like any other.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness: "Classic has no TERMINATE, so every end is a proper one (PROTOCOL.md, 3.3 d).",
  async *run(stage) {
    const cuts = placesOf(stage).flatMap((place) =>
      PARTS[place].flatMap((part) => (["fin", "rst"] as const).map((how): Cut => ({ place, part, how }))),
    );
    for await (const wave of inWaves(stage, cuts, (where) => cutAt(stage, where))) yield* wave.flat();
  },
};

async function cutAt(stage: Stage, where: Cut): Promise<Case[]> {
  const { place, part, how } = where;
  const mitm = await stage.mitm({
    *program() {
      if (part === "whole") return;
      const { bytes } = yield* untilPlace(place);
      yield cut(how, part === "none" ? 0 : Math.floor(bytes.length / 2));
    },
  });
  const error = await play(stage, await stage.victim(), where, mitm);
  const cases: Case[] = [];
  // Who has sent a TERMINATE has ended its session.
  if (place !== "TERMINATE c2s") cases.push(ofClient(stage, where, mitm.recording, error));
  // Before HELLO any end is clean.
  if (place !== "TERMINATE s2c" && place !== "HELLO" && stage.world !== null) {
    cases.push(await ofServer(stage, where, mitm));
  }
  await mitm.close();
  return cases;
}

/** @returns what the client's caller was told: null where it was an end like any other */
async function play(stage: Stage, victim: Victim, { place, part, how }: Cut, mitm: Mitm): Promise<unknown> {
  const greeting = await outcomeOf(victim.connect(mitm));
  if (greeting.value === null) return greeting.error;
  const session = greeting.value;
  if (place === "TERMINATE c2s") await session.close();
  else if (place !== "CHALLENGE") {
    await outcomeOf(victim.say(session));
    if (place === "TERMINATE s2c") await supersede(stage, victim);
  }
  if (part === "whole") mitm.connection.cut(how);
  return (await session.closed).error;
}

function ofClient(stage: Stage, where: Cut, recording: Recording, error: unknown): Case {
  // Without CHALLENGE no client takes anything for a session.
  const greeted = where.place !== "HELLO" && (where.place !== "CHALLENGE" || where.part === "whole");
  return {
    ...told(where, "client"),
    happened:
      error === null
        ? "its caller was told of an end like any other"
        : "its caller was told that it was cut off",
    worked: error === null,
    expected: stage.suite.strict || !greeted ? "fails" : "works",
    refusedBy: error === null ? null : errorName(error),
    due: stage.suite.strict ? ["TruncationError"] : null,
    recording,
  };
}

async function ofServer({ own, suite }: Stage, where: Cut, { recording, connection }: Mitm): Promise<Case> {
  const open = recording.entries.find(
    ({ kind, ...entry }) => kind === "open" && entry.connection === connection.id,
  );
  const port = open?.kind === "open" ? (open.port ?? 0) : 0;
  const end = await own.events.ofPort("session-ended", port, 1_000);
  const violation = (await own.events.ofPort("violation", port, 0))?.error ?? null;
  const unnoticed = end !== null && violation === null;
  if (violation !== null) recording.note(`the server: ${violation}`, connection.id);
  return {
    ...told(where, "server"),
    happened: `its operator was told ${violation !== null ? "that the stream was cut" : end !== null ? "of an end like any other" : "nothing"}`,
    worked: unnoticed,
    refusedBy: violation,
    due: suite.strict ? ["TruncationError"] : null,
    recording,
  };
}

function told({ place, part, how }: Cut, side: "client" | "server"): { name: string; did: string } {
  const where = `${WHERE[part]} ${place}`;
  return {
    name: `${where}, ${how.toUpperCase()}, the ${side}`,
    did: `cut both streams (${how.toUpperCase()}) ${where}`,
  };
}
