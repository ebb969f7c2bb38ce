import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Actions, listOf, pass } from "../actions.ts";
import { type ObservedFrame, observe } from "../observed.ts";
import { flipBit, spansOf } from "../packet.ts";
import { ProgramRun } from "../program.ts";
import { Recording } from "../recording.ts";
import { frame } from "../testing/frames.ts";
import { attackHelp } from "./help.ts";
import { FIELDS, PARAMETERS, type ParameterName } from "./parameters.ts";
import { parseAttack, programOf } from "./spec.ts";
import { VERBS } from "./verbs.ts";

/** A session of two connections: HELLO, CHALLENGE, DATA, AGGREGATE, DATA, AGGREGATE. */
function sessionOf(connection: number): ObservedFrame[] {
  const kinds = [
    frame("HELLO", 0),
    frame("CHALLENGE", 0),
    frame("DATA", 1),
    frame("AGGREGATE", 1),
    frame("DATA", 2),
    frame("AGGREGATE", 2),
  ];
  return kinds.map((bytes, at) => observe(connection, at + 1, at % 2 === 0 ? "c2s" : "s2c", bytes));
}
const SESSION = sessionOf(1);

function recorded(): Recording {
  const recording = new Recording();
  for (const one of [...SESSION, ...sessionOf(2)]) recording.add({ kind: "seen", ...one, did: "passed" });
  return recording;
}
const load = (file: string): Recording => {
  if (file !== "old.jsonl") throw new RangeError("there is no such file");
  return recorded();
};

/** What becomes of each frame of the session. */
function fatesOf(...texts: string[]): Actions[] {
  const run = new ProgramRun(programOf(texts.map((text) => parseAttack(text, load)))());
  return SESSION.map((one) => run.of(one));
}
/** Only what is not simply passed: `3 dropped`. */
function told(...texts: string[]): string[] {
  return fatesOf(...texts).flatMap((fate, at) => {
    const words = listOf(fate).map((action) => (action.do === "replace" ? action.note : action.do));
    return words.join() === "pass" ? [] : [`${at + 1} ${words.join(" ") || "drop"}`];
  });
}

describe("an attack by hand", () => {
  it.each([
    ["drop:frame=2", ["2 drop"]],
    ["drop:opcode=DATA", ["3 drop", "5 drop"]],
    ["drop:opcode=DATA,round=2", ["5 drop"]],
    ["drop:round=2,direction=s2c", ["6 drop"]],
    ["drop:connection=2", []],
    ["drop:frame=7", []],
    ["delay:frame=3,ms=500", ["3 delay"]],
    ["duplicate:direction=s2c", ["2 repeat", "4 repeat", "6 repeat"]],
    ["replay:frame=3", ["3 pass inject"]],
    ["replay:frame=3,behind=6", ["6 pass inject"]],
    ["replay:opcode=DATA,behind=6", ["6 pass inject inject"]],
    ["swap:frame=3", ["3 hold", "5 pass release"]],
    ["swap:direction=c2s", ["1 hold", "3 pass release", "5 hold"]],
    ["hold:frame=3", ["3 hold"]],
    ["hold:frame=3,behind=4", ["3 hold", "4 pass release"]],
    ["reflect:opcode=HELLO", ["1 reflect"]],
    ["flip:frame=3,byte=20,bit=1", ["3 bit 1 of byte 20 of the packet turned"]],
    ["flip:frame=3,field=tag", ["3 bit 0 of byte 0 of tag turned"]],
    ["flip:frame=3,field=suite,byte=1", ["3 passed: it has no byte 1 of suite"]],
    ["inject:frame=2,hex=00Ff", ["2 pass inject"]],
    ["truncate:frame=3,how=rst,after=10", ["3 cut"]],
    ["splice:from=old.jsonl,frame=5,at=3", ["3 DATA of a recording in its place"]],
  ])("%s", (text, expected) => {
    expect(told(text)).toEqual(expected);
  });

  it("says what exactly is done", () => {
    expect(fatesOf("delay:frame=3,ms=500")[2]).toEqual([{ do: "delay", ms: 500 }]);
    expect(fatesOf("duplicate")[0]).toEqual([{ do: "repeat", copies: 1 }]);
    expect(fatesOf("duplicate:copies=4")[0]).toEqual([{ do: "repeat", copies: 4 }]);
    expect(fatesOf("truncate:frame=1")[0]).toEqual([{ do: "cut", how: "fin", after: 0 }]);
    expect(fatesOf("truncate:how=rst,after=10")[0]).toEqual([{ do: "cut", how: "rst", after: 10 }]);
    const bytes = Uint8Array.of(0, 255);
    expect(fatesOf("inject:frame=2,hex=00ff")[1]).toEqual([
      pass,
      { do: "inject", direction: "s2c", bytes, note: "2 bytes" },
    ]);
    expect(fatesOf("inject:frame=2,hex=00ff,to=server")[1]).toMatchObject([pass, { direction: "c2s" }]);
    const data = SESSION[2]?.bytes;
    expect(fatesOf("replay:frame=3,behind=4")[3]).toEqual([
      pass,
      { do: "inject", direction: "c2s", bytes: data, note: "frame 3 once more" },
    ]);
    expect(fatesOf("hold:frame=3,behind=4")[3]).toEqual([pass, { do: "release", direction: "c2s" }]);
    expect(fatesOf("splice:from=old.jsonl,frame=5,at=3,connection=2")[2]).toMatchObject([
      { by: [SESSION[4]?.bytes] },
    ]);
  });

  it("turns a bit of every field where it is", () => {
    const whole = SESSION[2]?.bytes ?? new Uint8Array();
    const tag = spansOf(whole).at(-1)?.at ?? 0;
    const places = {
      length: -4,
      suite: 0,
      opcode: 1,
      direction: 2,
      reserved: 3,
      clientId: 4,
      epoch: 8,
      round: 12,
    };
    for (const [field, at] of Object.entries({ ...places, iv: 16, ciphertext: 32, tag })) {
      const [action] = listOf(fatesOf(`flip:frame=3,field=${field},bit=7`)[2] ?? []);
      expect(action, field).toMatchObject({ by: [flipBit(whole, at, 7)] });
    }
  });

  it("lets the first that decides on a frame decide, and all do something behind it", () => {
    expect(told("drop:frame=3", "delay:frame=3,ms=1", "replay:frame=3", "inject:frame=3,hex=00")).toEqual([
      "3 inject inject",
    ]);
    expect(told("swap:frame=3", "drop:frame=5")).toEqual(["3 hold", "5 release"]);
    expect(told()).toEqual([]);
  });

  it("begins anew with each connection", () => {
    const program = programOf([parseAttack("swap:direction=c2s", load)]);
    for (let connection = 1; connection <= 2; connection++) {
      const run = new ProgramRun(program());
      const [first] = SESSION;
      if (first !== undefined) expect(run.of(first)).toEqual([{ do: "hold" }]);
    }
  });

  it("takes a side of a recording", () => {
    expect(parseAttack("replay-client:from=old.jsonl,connection=2", load).plan).toMatchObject({
      kind: "client",
      frames: [{ index: 1, connection: 2 }, { index: 3 }, { index: 5 }],
    });
    const server = parseAttack("replay-server:from=old.jsonl", load);
    expect(server.plan).toMatchObject({ kind: "server", frames: [{ index: 2 }, { index: 4 }, { index: 6 }] });
    expect(() => programOf([server, parseAttack("drop", load)])).toThrow(/leaves no frames/);
    const client = parseAttack("replay-client:from=old.jsonl", load);
    expect(new ProgramRun(programOf([client])()).of(SESSION[0] as ObservedFrame)).toEqual([pass]);
  });

  it.each([
    ["", /there is no attack ""; expected drop, delay, duplicate, replay,/],
    ["frob:frame=1", /there is no attack "frob"/],
    ["drop:", /drop does not take ""; expected frame=N, opcode=HELLO\|/],
    ["drop:frame", /drop does not take "frame"/],
    ["drop:ms=3", /drop does not take ms; expected frame=N/],
    ["drop:frame=1,frame=2", /frame is given twice/],
    ["drop:frame=0", /frame: expected an integer from 1 to/],
    ["drop:frame=1.5", /frame: expected an integer/],
    ["drop:opcode=data", /opcode: expected HELLO, CHALLENGE, DATA, AGGREGATE, TERMINATE/],
    ["delay:frame=1", /delay needs ms=N/],
    ["flip:frame=1", /flip needs field or byte/],
    ["flip:field=header", /field: expected length, suite, opcode/],
    ["flip:byte=1,bit=8", /bit: expected an integer from 0 to 7/],
    ["inject:hex=0", /hex: not an even number of hexadecimal digits/],
    ["inject:hex=", /hex: expected hexadecimal digits/],
    ["hold:frame=3,behind=3", /behind=3 is not behind frame=3/],
    ["truncate:how=soon", /how: expected fin, rst/],
    ["splice:from=old.jsonl,frame=1", /splice needs at=N/],
    ["splice:from=new.jsonl,frame=1,at=1", /from: there is no such file/],
    ["splice:from=old.jsonl,frame=7,at=1", /the recording has no frame 7 of connection 1/],
    ["replay-client:from=old.jsonl,connection=3", /no frame of the client of connection 3/],
  ])("refuses %j, and says what is expected", (text, message) => {
    expect(() => parseAttack(text, load)).toThrow(RangeError);
    expect(() => parseAttack(text, load)).toThrow(message);
  });

  it("is read, or refused with a RangeError, whatever is written", () => {
    const names = VERBS.map((verb) => verb.name);
    const parameters = Object.keys(PARAMETERS) as ParameterName[];
    const value = fc.oneof(
      fc.string(),
      fc.nat().map(String),
      fc.constantFrom("old.jsonl", "DATA", "c2s", "client", "rst", "00ff", ...FIELDS),
    );
    const pair = fc.tuple(fc.constantFrom(...parameters), value).map((parts) => parts.join("="));
    const attack = fc
      .tuple(fc.constantFrom(...names), fc.array(pair, { maxLength: 4 }))
      .map(([name, pairs]) => (pairs.length === 0 ? name : `${name}:${pairs.join(",")}`));
    let read = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: attack }, fc.string()), (text) => {
        try {
          const spec = parseAttack(text, load);
          expect(spec.text).toBe(text);
          const run = new ProgramRun(programOf([spec])());
          for (const one of SESSION) run.of(one);
          read++;
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 500 },
    );
    expect(read).toBeGreaterThan(20);
  });
});

describe("the help", () => {
  it("names every attack and every parameter", () => {
    const help = attackHelp();
    for (const { name } of VERBS)
      expect(
        help.some((line) => line.startsWith(`  ${name} `)),
        name,
      ).toBe(true);
    for (const name of Object.keys(PARAMETERS)) {
      expect(
        help.some((line) => line.startsWith(`  ${name}=`)),
        name,
      ).toBe(true);
    }
  });
});
