import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entryLine, headLine } from "./lines.ts";
import { observe } from "./observed.ts";
import { type Entry, Recording } from "./recording.ts";
import { frame } from "./testing/frames.ts";

const connection = fc.integer({ min: 1, max: 1000 });
const bytes = fc.uint8Array({ maxLength: 200 });
const direction = fc.constantFrom("c2s" as const, "s2c" as const);
const party = fc.constantFrom("victim" as const, "attacker" as const);
const side = fc.constantFrom("client" as const, "server" as const);
const how = fc.constantFrom("fin" as const, "rst" as const);
const text = fc.string({ unit: "binary" });

/** Any entry that can be told. */
const anything = fc.oneof(
  fc.record({
    kind: fc.constant("open" as const),
    connection,
    client: party,
    server: party,
    port: fc.option(fc.integer({ min: 1, max: 65_535 })),
  }),
  fc.tuple(connection, connection, direction, bytes, text).map(([of, index, to, packet, did]) => ({
    kind: "seen" as const,
    ...observe(of, index, to, packet),
    did,
  })),
  fc.record({
    kind: fc.constant("sent" as const),
    connection,
    direction,
    bytes,
    of: fc.option(connection),
    note: fc.option(text),
  }),
  fc.record({ kind: fc.constant("unread" as const), connection, direction, bytes }),
  fc.record({ kind: fc.constant("end" as const), connection, side, how, by: party }),
  fc.record({
    kind: fc.constant("end" as const),
    connection,
    side,
    how: fc.constant("fin" as const),
    by: fc.constant("victim" as const),
    waits: fc.constant(true),
  }),
  fc.record({ kind: fc.constant("note" as const), connection: fc.option(connection), text }),
);

describe("a recording", () => {
  it("comes back from its lines as it was, whatever it holds", () => {
    fc.assert(
      fc.property(fc.array(anything), (entries) => {
        const recording = new Recording();
        for (const entry of entries) recording.add(entry);
        const lines = recording.toLines();
        for (const line of lines) expect(line).not.toContain("\n");
        const back = Recording.fromLines(lines);
        expect(back.entries).toEqual(recording.entries);
        expect(back.startedAt).toBe(recording.startedAt);
        expect(back.toLines()).toEqual(lines);
        const newest = Math.max(0, ...entries.map((entry) => entry.connection ?? 0));
        expect(back.connection()).toBe(newest + 1);
      }),
    );
  });

  it("can be written as it goes, one line an entry", () => {
    const recording = new Recording();
    const lines = [headLine(recording.startedAt)];
    recording.onEntry((entry) => lines.push(entryLine(entry)));
    recording.note("one");
    recording.add({ kind: "seen", ...observe(1, 1, "c2s", frame("DATA", 3)), did: "passed" });
    expect(lines).toEqual(recording.toLines());
    expect(Recording.fromLines([...lines, ""]).frames()[0]?.header).toMatchObject({
      opcode: "DATA",
      round: 3,
    });
  });

  it("gives the frames of a connection and a direction", () => {
    const recording = new Recording();
    const add = (id: number, index: number, to: "c2s" | "s2c") =>
      recording.add({ kind: "seen", ...observe(id, index, to, frame("DATA", index)), did: "passed" });
    add(1, 1, "c2s");
    add(1, 2, "s2c");
    add(2, 1, "c2s");
    const indexes = (of: Parameters<Recording["frames"]>[0]) =>
      recording.frames(of).map((one) => [one.connection, one.index]);
    expect(indexes({})).toHaveLength(3);
    expect(indexes({ connection: 1 })).toEqual([
      [1, 1],
      [1, 2],
    ]);
    expect(indexes({ direction: "c2s" })).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(indexes({ connection: 2, direction: "s2c" })).toEqual([]);
  });

  const head = headLine(0);
  const open = '{"kind":"open","at":1,"connection":1,"client":"victim","server":"victim","port":1}';
  it.each([
    [[], /^a recording without a head$/],
    [[""], /^a recording without a head$/],
    [["nonsense"], /^line 1: .*JSON/],
    [["null"], /^line 1: not an object/],
    [['{"recording":2,"startedAt":"1970-01-01T00:00:00.000Z"}'], /^line 1: not the head of a recording/],
    [['{"recording":1,"startedAt":"yesterday"}'], /^line 1: the head of a recording without a time/],
    [[open], /^line 1: not the head/],
    [[head, open, head], /^line 3: not an entry/],
    [[head, '{"kind":"opened","at":1}'], /^line 2: not an entry/],
    [[head, open.replace("victim", "nobody")], /^line 2: open: client is missing or wrong/],
    [[head, open.replace('"at":1,', "")], /^line 2: open: at is missing/],
    [[head, open.replace('"port":1', '"port":70000')], /^line 2: open: port/],
    [
      [head, "", '{"kind":"unread","at":1,"connection":1,"direction":"c2s","bytes":"abc"}'],
      /^line 3: unread: bytes/,
    ],
    [[head, '{"kind":"note","at":-1,"connection":null,"text":""}'], /^line 2: note: at/],
    [[head, open.slice(0, 40)], /^line 2: .*JSON/],
  ])("refuses %j, and says which line is wrong", (lines, expected) => {
    const failure = (() => {
      try {
        Recording.fromLines(lines);
      } catch (error) {
        return error;
      }
      return null;
    })();
    expect(failure).toBeInstanceOf(SyntaxError);
    expect((failure as SyntaxError).message).toMatch(expected);
  });

  it("is told while it grows, until nobody listens any more", () => {
    const recording = new Recording();
    const seen: Entry[] = [];
    const stop = recording.onEntry((entry) => seen.push(entry));
    recording.note("heard", 3);
    stop();
    recording.note("not heard");
    expect(seen).toMatchObject([{ kind: "note", connection: 3, text: "heard" }]);
  });
});
