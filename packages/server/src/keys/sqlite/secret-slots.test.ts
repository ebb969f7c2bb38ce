import { systemRandom } from "@pawl/protocol/driver";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "./driver.ts";
import { migrate } from "./schema.ts";
import { bytesOfCell, cellOf, SecretSlots } from "./secret-slots.ts";
import { rawConnection } from "./testing/stores.ts";

let db: Database;
let slots: SecretSlots;
beforeEach(async () => {
  db = await rawConnection(":memory:");
  migrate(db);
  slots = new SecretSlots(db);
});
afterEach(() => db.close());

function client(id: number, slot: number): void {
  db.prepare(
    "INSERT INTO clients (client_id, suite, generation, epoch, slot, hello_window, created) VALUES (?, 2, zeroblob(8), 0, ?, 64, 0)",
  ).run(id, slot);
}

function stored(slot: number): Uint8Array | undefined {
  const row = db.prepare("SELECT secret FROM secrets WHERE slot = ?").get(slot);
  return (row as { readonly secret: Uint8Array } | undefined)?.secret;
}

describe("a cell", () => {
  it("has one size for every secret, wrapped or not, and gives it back", () => {
    for (const length of [1, 32, 60, 63]) {
      const bytes = systemRandom(length);
      expect(cellOf(bytes)).toHaveLength(64);
      expect(bytesOfCell(cellOf(bytes))).toEqual(bytes);
    }
    const long = systemRandom(200);
    expect(bytesOfCell(cellOf(long))).toEqual(long);
  });
});

describe("the slots", () => {
  it("are appended, replaced in place, zeroed when their client goes, and taken again", () => {
    const cells = [1, 2, 3].map((n) => cellOf(new Uint8Array(32).fill(n)));
    for (const [index, cell] of cells.entries()) client(index + 10, slots.add(cell));
    for (const cell of cells) expect(cell).toEqual(new Uint8Array(64));
    expect(stored(2)).toEqual(cellOf(new Uint8Array(32).fill(2)));
    slots.replace(11, cellOf(new Uint8Array(32).fill(9)));
    expect(stored(2)).toEqual(cellOf(new Uint8Array(32).fill(9)));
    slots.free(11);
    db.exec("DELETE FROM clients WHERE client_id = 11");
    expect(stored(2)).toEqual(new Uint8Array(64));
    expect(slots.add(cellOf(new Uint8Array(32).fill(7)))).toBe(2);
    expect(stored(2)).toEqual(cellOf(new Uint8Array(32).fill(7)));
    expect(slots.add(cellOf(new Uint8Array(32)))).toBe(4);
    expect(stored(1)).toEqual(cellOf(new Uint8Array(32).fill(1)));
  });
});
