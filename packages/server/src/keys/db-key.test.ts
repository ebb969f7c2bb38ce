import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDbKey, formatDbKeys, parseDbKeys, readDbKeyFile, writeDbKeyFile } from "./db-key.ts";
import { type Folder, newFolder } from "./sqlite/testing/stores.ts";

let folder: Folder;
let path = "";
beforeEach(async () => {
  folder = await newFolder();
  path = `${dirname(folder.path)}/db.key`;
});
afterEach(() => folder.cleanup());

const key = Uint8Array.from({ length: 32 }, (_, n) => 251 * n);

describe("a db key as text", () => {
  it("is read from what secret managers and openssl print", () => {
    const buffer = Buffer.from(key);
    for (const text of [
      buffer.toString("base64"),
      `${buffer.toString("base64")}\n`,
      buffer.toString("base64url"),
      buffer.toString("hex"),
      buffer.toString("hex").toUpperCase(),
    ]) {
      expect(parseDbKeys(text, "x")).toEqual([key]);
    }
    const two = `${buffer.toString("base64")},${buffer.toString("hex")}\n\n`;
    expect(parseDbKeys(two, "x")).toEqual([key, key]);
    expect(parseDbKeys(formatDbKeys([key, key]), "x")).toEqual([key, key]);
  });

  it("that is none is refused without being quoted", () => {
    for (const text of ["", " \n", "secret-passphrase", Buffer.from(key).toString("base64").slice(2), "00"]) {
      const failure = () => parseDbKeys(text, "PAWL_DB_KEY");
      expect(failure).toThrow(/^PAWL_DB_KEY: (no db key in it|key 1 is no db key: expected 32 bytes)/);
      if (text.trim() !== "") expect(failure).not.toThrow(text.trim());
    }
  });
});

describe("a db key file", () => {
  it("is for its owner alone, replaced in one step, and never overwritten unasked", async () => {
    await writeDbKeyFile(path, [key], { exclusive: true });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readDbKeyFile(path)).toEqual([key]);
    const other = createDbKey();
    await expect(writeDbKeyFile(path, [other], { exclusive: true })).rejects.toThrow(
      /it was not overwritten/,
    );
    await writeDbKeyFile(path, [key, other]);
    expect(await readDbKeyFile(path)).toEqual([key, other]);
    await writeDbKeyFile(path, [other]);
    expect(await readFile(path, "latin1")).not.toContain(Buffer.from(key).toString("base64url"));
    expect((await readdir(dirname(path))).filter((name) => name.startsWith("db.key"))).toEqual(["db.key"]);
  });

  it("is refused where it is missing, readable by others, or none", async () => {
    await expect(readDbKeyFile(path)).rejects.toThrow(/no such file; put the db key back/);
    await writeDbKeyFile(path, [key]);
    await chmod(path, 0o640);
    await expect(readDbKeyFile(path)).rejects.toThrow(/others may read it \(mode 640\)/);
    await writeFile(path, "not a key");
    await chmod(path, 0o600);
    await expect(readDbKeyFile(path)).rejects.toMatchObject({ code: "PAWL_STORE" });
    await expect(writeDbKeyFile(`${path}/x/y`, [key])).rejects.toMatchObject({ code: "PAWL_STORE" });
  });
});
