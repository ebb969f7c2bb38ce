import {
  type Actions,
  type Attack,
  cut,
  delay,
  drop,
  flip,
  hold,
  inject,
  is,
  type Program,
  reflect,
  repeat,
  until,
} from "@pawl/lab";

/** What may be done to a DATA. */
const DEEDS: Readonly<Record<string, (frame: Uint8Array) => Actions>> = {
  altered: (bytes) => flip({ bytes }, -1, 3),
  dropped: () => drop,
  held: () => hold,
  delayed: () => delay(30),
  copied: () => repeat(2),
  reflected: () => reflect,
  injected: (bytes) => [
    { do: "pass" },
    inject(
      "s2c",
      bytes.slice(0, 60),
      "the start of a packet, with a note that is so long that it has to be broken into several lines",
    ),
  ],
  cut: () => cut("rst", 20),
};

/** An attack that does each thing once, so that a report has one of each to draw. What comes of it does not matter. */
export const everyDeed: Attack = {
  id: "every-deed",
  claim: "order",
  title: 'Every deed <once> & "again"',
  adversary: `A man in the middle who does what${"so".repeat(200)}ever he can, in words that no page is wide enough for.`,
  steps: ["A client connects and speaks.", "Something is done to its DATA."],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    for (const [name, deed] of Object.entries(DEEDS)) {
      const victim = await stage.victim();
      const mitm = await stage.mitm({ program: () => once(deed) });
      const session = await victim.connect(mitm, { timeoutMs: 400 });
      const watch = mitm.watch("server");
      const answer = await victim.say(session).then(
        () => "an answer",
        (error: unknown) => (error instanceof Error ? error.name : "an error"),
      );
      mitm.recording.note(`the client's caller got ${answer}`);
      yield await stage.refusal({
        name,
        did: `${name}: the DATA of round 1`,
        recording: mitm.recording,
        connection: mitm.connection.id,
        reaction: watch.now,
        due: null,
      });
    }
  },
};

function* once(deed: (frame: Uint8Array) => Actions): Program {
  const { bytes } = yield* until(is("DATA"));
  yield deed(bytes);
}
