import { describe, expect, it } from "vitest";
import { foldRows } from "./fold.ts";
import type { Fate, PacketRow, Row } from "./rows.ts";

const row = (at: number, fate: Fate): PacketRow => ({
  kind: "packet",
  at,
  connection: 1,
  fate,
  frame: at,
  from: "client",
  to: "server",
  sent: { title: "DATA · round 1", detail: "" },
  wentOn: null,
  note: null,
  change: null,
});
const limits = { ends: 3, between: 2, alike: 1 };
const shapeOf = (rows: readonly Row[]) => rows.map((one) => (one.kind === "packet" ? one.at : one.kind));

describe("folding", () => {
  it("leaves a short sequence alone", () => {
    const rows = Array.from({ length: 8 }, (_, index) => row(index, "passed"));
    expect(foldRows(rows, limits)).toEqual(rows);
  });

  it("keeps the ends, and says what it left out", () => {
    const rows = Array.from({ length: 100 }, (_, index) => row(index, "passed"));
    const folded = foldRows(rows, limits);
    expect(shapeOf(folded)).toEqual([0, 1, 2, "fold", 97, 98, 99]);
    expect(folded[3]).toEqual({ kind: "fold", rows: 94, text: "… 94 more rows: 94 × DATA passed …" });
  });

  it("keeps what the attacker does in between, the first of each kind", () => {
    const fateOf = (index: number): Fate =>
      index === 50 || index === 51 ? "altered" : index === 70 ? "stopped" : "passed";
    const rows = Array.from({ length: 100 }, (_, index) => row(index, fateOf(index)));
    expect(shapeOf(foldRows(rows, limits))).toEqual([0, 1, 2, "fold", 50, "fold", 70, "fold", 97, 98, 99]);
  });

  it("counts every row, shown or folded", () => {
    const rows = Array.from({ length: 1_000 }, (_, index) =>
      row(index, index % 7 === 0 ? "injected" : "passed"),
    );
    const folded = foldRows(rows);
    const all = folded.reduce((sum, one) => sum + (one.kind === "fold" ? one.rows : 1), 0);
    expect(all).toBe(1_000);
    expect(folded.length).toBeLessThan(40);
  });
});
