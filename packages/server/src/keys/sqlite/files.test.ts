import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareFile } from "./files.ts";
import { type Folder, newFolder } from "./testing/stores.ts";

let folder: Folder;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(async () => {
  await folder.cleanup();
});

it("makes the file for its owner alone, where it is told to, and leaves one that is there", async () => {
  await expect(prepareFile(folder.path, false)).rejects.toThrow(/no key database at .*run pawl init/);
  await prepareFile(folder.path, true);
  expect((await stat(folder.path)).mode & 0o777).toBe(0o600);
  await writeFile(folder.path, "kept");
  await prepareFile(folder.path, true);
  await prepareFile(folder.path, false);
  expect((await stat(folder.path)).size).toBe(4);
});

it("refuses what others may use: the database, its log, its index", async () => {
  await prepareFile(folder.path, true);
  for (const file of [folder.path, `${folder.path}-wal`, `${folder.path}-shm`]) {
    await writeFile(file, "", { mode: 0o600 });
    await chmod(file, 0o640);
    await expect(prepareFile(folder.path, true)).rejects.toThrow(`others may use ${file} (mode 0640)`);
    await chmod(file, 0o600);
  }
  await expect(prepareFile(folder.path, true)).resolves.toBeUndefined();
});

it("refuses a read-only file, a folder, and a path through a file or a folder that is not there", async () => {
  await prepareFile(folder.path, true);
  await chmod(folder.path, 0o400);
  await expect(prepareFile(folder.path, true)).rejects.toThrow(/is read-only \(mode 0400\)/);
  await mkdir(`${folder.path}.d`);
  await expect(prepareFile(`${folder.path}.d`, true)).rejects.toThrow(/is not a file/);
  await expect(prepareFile(`${folder.path}/keys.db`, true)).rejects.toThrow(/ENOTDIR/);
  await expect(prepareFile(`${folder.path}.none/keys.db`, true)).rejects.toThrow(/ENOENT.*check its folder/);
});
