import { describe, expect, it } from "vitest";
import { instructionsByObject } from "../bench/counts/callgrind.ts";
import { compare } from "../bench/counts/compare.ts";
import { callsBetweenMarks } from "../bench/counts/round-trip.ts";

describe("instructions by object file", () => {
  it("are those of the functions themselves, whoever called them", () => {
    const profile = [
      "events: Ir",
      "summary: 195",
      "ob=(1) /usr/bin/record",
      "fl=(1) record.c",
      "fn=(1) seal",
      "10 7",
      "+3 5",
      // A library is named where it is called first.
      "cob=(2) /usr/lib/libcrypto.so.3",
      "cfn=(2) SHA256_Update",
      "calls=4 0 ",
      "-2 180",
      "* 3",
      "ob=(2)",
      "fn=(2)",
      "0 100",
      "cfn=(3) block",
      "calls=1 0",
      "0 80",
      "fn=(3)",
      "0 80",
    ].join("\n");
    expect(instructionsByObject(profile)).toEqual(
      new Map([
        ["/usr/bin/record", 15],
        ["/usr/lib/libcrypto.so.3", 180],
      ]),
    );
  });
});

describe("system calls between two marks", () => {
  const mark = String.raw`7  write(1, "{\"heapBytes\":62190632,\"externalB"..., 47) = 47`;

  it("are counted once, also where another thread came between", () => {
    const log = [
      '7  read(26, "", 65536) = 148',
      mark,
      "7  epoll_pwait(13, [], 1024, 0, NULL, 8) = 0",
      "7  read(26,  <unfinished ...>",
      '8  read(4, "", 1024) = 8',
      '7  <... read resumed>"", 65536) = 148',
      '7  write(26, "", 148) = 148',
      mark,
      '7  write(26, "", 148) = 148',
    ].join("\n");
    expect(Object.fromEntries(callsBetweenMarks(log))).toEqual({ epoll_pwait: 1, read: 2, write: 1 });
  });

  it("are none where a mark is missing", () => {
    expect(() => callsBetweenMarks(mark)).toThrow("1 marks");
  });
});

describe("what is counted against what is stored", () => {
  it.each([
    [1_040, [], []],
    [1_041, ["copies: 1041, stored 1000"], []],
    [960, [], []],
    [959, [], ["copies: 959, stored 1000"]],
  ])("lets %i pass for 1,000, or not", (now, failures, better) => {
    expect(compare({ copies: 1_000 }, { copies: now })).toEqual({ failures, better });
  });

  it("lets a little more pass of bytes, which differ between runs", () => {
    const [server, client] = ["server: bytes of heap", "client: bytes of heap"];
    expect(
      compare({ [server]: 1_000, [client]: 1_000 }, { [server]: 1_080, [client]: 1_081 }).failures,
    ).toEqual(["client: bytes of heap: 1081, stored 1000"]);
  });

  it("sees one system call more, and not a tenth of one", () => {
    expect(compare({ read: 1 }, { read: 2 }).failures).toEqual(["read: 2, stored 1"]);
    expect(compare({ getrandom: 0 }, { getrandom: 0.1 }).failures).toEqual([]);
    expect(compare({ getrandom: 0 }, { getrandom: 1 }).failures).toEqual(["getrandom: 1, stored 0"]);
  });

  it("fails for a cell on one side alone", () => {
    expect(compare({ old: 1 }, { fresh: 2 }).failures).toEqual([
      "fresh: 2, and nothing stored",
      "old: stored, and not counted any more",
    ]);
  });
});
