import { afterEach, describe, expect, it, vi } from "vitest";
import { loadDriver } from "./driver.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.doUnmock("@photostructure/sqlite");
});

describe("loadDriver", () => {
  it("gives a driver that works", async () => {
    const { DatabaseSync } = await loadDriver();
    const db = new DatabaseSync(":memory:");
    db.exec("CREATE TABLE t (x BLOB) STRICT");
    expect(db.prepare("INSERT INTO t VALUES (?)").run(Uint8Array.of(1, 2))).toMatchObject({ changes: 1 });
    expect(db.prepare("SELECT x FROM t").get()).toEqual({ x: Uint8Array.of(1, 2) });
    expect(db.prepare("SELECT x FROM t WHERE x = 1").get()).toBeUndefined();
    db.close();
  });

  it("prefers the driver that is built in", async () => {
    class DatabaseSync {}
    const builtIn = { DatabaseSync };
    const lookUp = vi.spyOn(process, "getBuiltinModule").mockReturnValue(builtIn as never);
    expect(await loadDriver()).toBe(builtIn);
    expect(lookUp).toHaveBeenCalledWith("node:sqlite");
  });

  it("leaves out the warning of Node.js 22 that comes with it, and no other", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockReturnValue();
    vi.spyOn(process, "getBuiltinModule").mockImplementation(() => {
      process.emitWarning("SQLite is an experimental feature", "ExperimentalWarning");
      return {} as never;
    });
    await loadDriver();
    expect(warned).not.toHaveBeenCalled();
    process.emitWarning("something else");
    expect(warned).toHaveBeenCalledWith("something else");
  });

  it("says what to install where there is none", async () => {
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    vi.doMock("@photostructure/sqlite", () => {
      throw new Error("Cannot find package");
    });
    await expect(loadDriver()).rejects.toThrow(/Node 22\.13 or later, or install .*@photostructure\/sqlite/);
  });
});
