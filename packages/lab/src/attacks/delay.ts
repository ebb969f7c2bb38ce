import { copyOf } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { cut, delay, Recording, Watch } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { errorName, outcomeOf } from "../world/victim.ts";
import { type Place, untilPlace } from "./support/place.ts";
import { Recorded } from "./support/recorded.ts";
import { inWaves } from "./support/waves.ts";

/** How much later than its deadline a packet comes, milliseconds. */
const LATE_MS = 150;
/** How much later a packet comes that has no deadline, milliseconds. */
const HELD_MS = 600;
/** How much longer than its deadline a slow HELLO takes. */
const SLOWER = 1.25;

export const delayPackets: Attack = {
  id: "delay",
  claim: "freshness",
  title: "A packet held back",
  adversary: "A man in the middle who keeps a packet for a while, and sends it later, bit for bit.",
  steps: [
    "HELLO until its deadline is over; then a byte at a time, so that there is always something new.",
    "The first DATA until its deadline is over, and CHALLENGE so long that the DATA behind it comes too late.",
    "A DATA of a session that is live, and an AGGREGATE: no deadline but that of idle sessions is on them.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const { helloMs, firstPacketMs } = stage.deadlines;
    const tries: (() => Promise<Case>)[] = [
      () => held(stage, { place: "HELLO", ms: helloMs + LATE_MS, nth: 1, expected: "fails" }),
      () => slowly(stage, helloMs),
      () => held(stage, { place: "CHALLENGE", ms: firstPacketMs + LATE_MS, nth: 1, expected: "fails" }),
      () => held(stage, { place: "DATA", ms: firstPacketMs + LATE_MS, nth: 1, expected: "fails" }),
      () => held(stage, { place: "DATA", ms: HELD_MS, nth: 2, expected: "works" }),
      () => held(stage, { place: "AGGREGATE", ms: HELD_MS, nth: 1, expected: "works" }),
    ];
    for await (const wave of inWaves(stage, tries, (one) => one())) yield* wave;
  },
};

interface Held {
  readonly place: Place;
  readonly nth: number;
  readonly ms: number;
  readonly expected: "fails" | "works";
}

/** Whether the client is answered, or what it says counted, for all that. */
async function held(stage: Stage, { place, nth, ms, expected }: Held): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm({
    *program() {
      yield* untilPlace(place, nth);
      yield delay(ms);
    },
  });
  const patient = { timeoutMs: 2 * ms + 5_000 };
  const greeting = await outcomeOf(victim.connect(mitm, patient));
  let error = greeting.error;
  for (let round = 1; greeting.value !== null && error === null && round <= nth; round++) {
    error = (await outcomeOf(victim.say(greeting.value))).error;
  }
  const counted = await stage.counted(victim);
  const { recording, connection } = mitm;
  if (error !== null) recording.note(`the client: ${errorName(error)}`, connection.id);
  const counts = counted === null ? "" : `, and ${counted} of its messages counted`;
  const what = nth > 1 || place !== "DATA" ? place : "the first DATA";
  return {
    name: nth > 1 ? "DATA of a live session" : what,
    did: `held ${what} back for ${ms} ms`,
    happened:
      error === null
        ? `it was taken: the client was answered${counts}`
        : `the client was not answered${counts}`,
    worked: error === null || (counted ?? 0) >= nth,
    expected,
    // A deadline is no violation of the protocol.
    refusedBy: error === null ? null : errorName(error),
    due: null,
    recording,
  };
}

/** The deadline is that of the whole HELLO: bytes that come do not put it off. */
async function slowly(stage: Stage, helloMs: number): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm({
    *program() {
      yield* untilPlace("HELLO");
      yield cut("rst");
    },
  });
  await outcomeOf(victim.connect(mitm));
  const hello = new Recorded(mitm.recording).packet("HELLO");
  const byteMs = Math.ceil((SLOWER * helloMs) / hello.bytes.length);
  const recording = new Recording();
  const attacker = await stage.attacker(recording);
  const watch = new Watch(recording, attacker.id, "server");
  for (let at = 0; at < hello.bytes.length && watch.now.ended === null; at++) {
    attacker.send(copyOf(hello.bytes, at, at + 1), `byte ${at} of HELLO`);
    await watch.ended(byteMs);
  }
  return stage.refusal({
    name: "HELLO, a byte at a time",
    did: `cut a client off, and sent its HELLO byte by byte, one in ${byteMs} ms`,
    recording,
    connection: attacker.id,
    reaction: await watch.frames(1),
    due: null,
  });
}
