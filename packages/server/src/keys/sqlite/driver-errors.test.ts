import { expect, it } from "vitest";
import { StoreError } from "../errors.ts";
import { isBusy, toStoreError, withStoreErrors } from "./driver-errors.ts";
import { newFolder, rawConnection } from "./testing/stores.ts";

function thrownBy(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

it("says what to do when the disk is full", async () => {
  const db = await rawConnection(":memory:");
  db.exec("PRAGMA max_page_count = 2; CREATE TABLE t (x)");
  const error = thrownBy(() => db.exec("INSERT INTO t VALUES (zeroblob(100000))"));
  expect(toStoreError(error, "keys.db").message).toMatch(/key database keys.db .*disk is full; free/);
  db.close();
});

it("says who is in the way", async () => {
  const folder = await newFolder();
  const [a, b] = [await rawConnection(folder.path), await rawConnection(folder.path)];
  a.exec("BEGIN EXCLUSIVE");
  const thrown = thrownBy(() => b.exec("BEGIN IMMEDIATE"));
  expect(isBusy(thrown)).toBe(true);
  expect(isBusy(new Error("x"))).toBe(false);
  const error = toStoreError(thrown, folder.path);
  expect(error.message).toMatch(/busy by another process/);
  a.close();
  b.close();
  await folder.cleanup();
});

it("knows the primary code behind an extended one", () => {
  const io = Object.assign(new Error("disk I/O error"), { errcode: 10 | (4 << 8) });
  const error = toStoreError(io, "keys.db");
  expect(error).toMatchObject({ code: "PAWL_STORE", cause: io });
  expect(error.message).toMatch(/check the disk.*\(disk I\/O error\)/);
});

it("passes on what it does not know, and what is one already", () => {
  expect(toStoreError("odd", "keys.db").message).toBe("key database keys.db failed (odd)");
  expect(toStoreError(Object.assign(new Error("x"), { errcode: "1" }), "keys.db").message).toMatch(
    /failed \(x\)/,
  );
  const already = new StoreError("said before");
  expect(toStoreError(already, "keys.db")).toBe(already);
  expect(withStoreErrors("keys.db", () => 5)).toBe(5);
  expect(() => withStoreErrors("keys.db", () => JSON.parse("{"))).toThrow(StoreError);
});
