import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientId, type Epoch, STRICT } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Credential, serializeCredential } from "./credential.ts";
import { credentialFile, writeCredentialFile } from "./credential-file.ts";
import type { CredentialStore } from "./credential-store.ts";
import { lockFile } from "./file-lock.ts";

let folder = "";
let path = "";
const children: ChildProcess[] = [];
const stores: CredentialStore[] = [];

const credential: Credential = {
  suite: STRICT,
  clientId: 7 as ClientId,
  epoch: 0 as Epoch,
  secret: new Uint8Array(32).fill(0xa1),
  last: new Uint8Array(16),
};
const next = (epoch: number) => ({
  epoch: epoch as Epoch,
  secret: new Uint8Array(32).fill(0xb0 + epoch),
  last: new Uint8Array(16).fill(epoch),
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-client-"));
  path = join(folder, "meter.pawl");
  await writeCredentialFile(path, credential);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const store of stores.splice(0)) await store.close();
  await rm(folder, { recursive: true, force: true });
});

function open(options = {}): CredentialStore {
  const store = credentialFile(path, options);
  stores.push(store);
  return store;
}

/** A process that runs `body` with `path`, and prints a line when it is done with it. */
async function child(body: string): Promise<ChildProcess> {
  const client = new URL("./index.ts", import.meta.url).href;
  const lock = new URL("./file-lock.ts", import.meta.url).href;
  const source = `import { credentialFile } from ${JSON.stringify(client)};
    import { lockFile } from ${JSON.stringify(lock)};
    const path = ${JSON.stringify(path)};
    ${body}
    console.log("ready"); setInterval(() => {}, 1000);`;
  const file = join(folder, `child-${children.length}.mts`);
  await writeFile(file, source);
  const args = ["--conditions=pawl-source", "--import", "tsx/esm", file];
  const started = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], cwd: process.cwd() });
  children.push(started);
  await once(started.stdout as NodeJS.ReadableStream, "data");
  return started;
}

describe("a credential file", () => {
  it("moves forward by compare-and-set, durably, and keeps its mode and its other members", async () => {
    await writeFile(path, serializeCredential(credential, { note: "cellar" }), { mode: 0o600 });
    const store = open();
    const loaded = await store.load();
    expect(loaded).toMatchObject({ clientId: 7, epoch: 0 });
    expect(await readdir(folder)).toEqual(["meter.pawl", "meter.pawl.lock", "meter.pawl.tmp"]);
    expect(await store.commit(loaded, next(1))).toBe("done");
    const text = await readFile(path, "utf8");
    expect(JSON.parse(text)).toMatchObject({ epoch: 1, note: "cellar" });
    expect(text).not.toContain(Buffer.from(credential.secret).toString("base64url"));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const again = await store.load();
    expect(again.secret).toEqual(next(1).secret);
    expect(await store.commit(again, next(2))).toBe("done");
    await store.close();
    expect(await readdir(folder)).toEqual(["meter.pawl"]);
  });

  it("writes nothing where it finds another secret", async () => {
    const store = open();
    const loaded = await store.load();
    const other = serializeCredential({ ...credential, ...next(5) });
    await writeFile(path, other);
    expect(await store.commit(loaded, next(1))).toBe("lost");
    expect(await readFile(path, "utf8")).toBe(other);
  });

  it("is refused when others may read it, unless told", async () => {
    await chmod(path, 0o640);
    await expect(open().load()).rejects.toMatchObject({ code: "PAWL_CREDENTIAL_READABLE" });
    expect((await open({ allowReadable: true }).load()).clientId).toBe(7);
  });

  it("says what is wrong: missing, damaged, a folder, far too large", async () => {
    const load = (file: string) => credentialFile(join(folder, file)).load();
    await expect(load("none.pawl")).rejects.toMatchObject({ code: "PAWL_CREDENTIAL_MISSING" });
    await writeFile(join(folder, "half.pawl"), serializeCredential(credential).slice(0, 60), { mode: 0o600 });
    await expect(load("half.pawl")).rejects.toMatchObject({ code: "PAWL_CREDENTIAL_FORMAT" });
    await expect(load(".")).rejects.toMatchObject({ name: expect.stringMatching(/^Credential/) });
    await writeFile(join(folder, "large.pawl"), Buffer.alloc(100_000, " "), { mode: 0o600 });
    await expect(load("large.pawl")).rejects.toThrow("far too large");
    expect((await readdir(folder)).filter((name) => /lock|tmp/.test(name))).toEqual([]);
    await expect(writeCredentialFile(path, credential)).rejects.toThrow("is there already");
  });

  it("follows a link to the file that moves", async () => {
    const link = join(folder, "link.pawl");
    await symlink(path, link);
    const store = credentialFile(link);
    expect(await store.commit(await store.load(), next(1))).toBe("done");
    await store.close();
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ epoch: 1 });
    expect(JSON.parse(await readFile(link, "utf8"))).toMatchObject({ epoch: 1 });
  });

  it("has what a crash left of a temporary file removed at start", async () => {
    await writeFile(`${path}.tmp`, serializeCredential({ ...credential, ...next(9) }), { mode: 0o600 });
    const store = open();
    expect((await store.load()).epoch).toBe(0);
    expect((await readFile(`${path}.tmp`, "utf8")).trim()).toBe("");
    await store.close();
    expect(await readdir(folder)).toEqual(["meter.pawl"]);
  });

  it("is written anew after a commit that failed, before it is used again", async () => {
    const store = open();
    const loaded = await store.load();
    await rm(`${path}.tmp`);
    await expect(store.commit(loaded, next(1))).rejects.toMatchObject({ code: "PAWL_CREDENTIAL_MISSING" });
    const before = (await stat(path)).ino;
    expect((await store.load()).epoch).toBe(0);
    expect((await stat(path)).ino).not.toBe(before);
  });
});

describe("the lock", () => {
  it("keeps a second holder out, in this process and in another", async () => {
    await open().load();
    await expect(open().load()).rejects.toThrow(`in use by process ${process.pid}`);
    await stores.splice(0)[0]?.close();
    const holder = await child("await credentialFile(path).load();");
    await expect(open().load()).rejects.toMatchObject({
      code: "PAWL_CREDENTIAL_LOCKED",
      message: expect.stringContaining(`in use by process ${holder.pid}`),
    });
  });

  it("of a process that was killed is taken over, and so is one of its number's predecessor", async () => {
    const holder = await child("await credentialFile(path).load();");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect((await open().load()).clientId).toBe(7);
    await stores.splice(0)[0]?.close();
    await writeFile(`${path}.lock`, JSON.stringify({ pid: process.pid, started: "1", token: "x" }));
    expect((await open().load()).clientId).toBe(7);
  });

  it("that is being written is respected; one left half-written is not for ever", async () => {
    await writeFile(`${path}.lock`, "");
    await expect(open().load()).rejects.toMatchObject({ code: "PAWL_CREDENTIAL_LOCKED" });
    const old = new Date(Date.now() - 60_000);
    await utimes(`${path}.lock`, old, old);
    expect((await open().load()).clientId).toBe(7);
  });

  it("is won by one alone of many that race for a stale one", async () => {
    await writeFile(`${path}.lock`, JSON.stringify({ pid: 2 ** 22 + 1, started: null, token: "gone" }));
    const won: (() => Promise<void>)[] = [];
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, async () => won.push(await lockFile(path))),
    );
    expect(won).toHaveLength(1);
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(19);
    await won[0]?.();
  });

  it("is taken over from one that died while it took over, at any depth, and by nobody twice", async () => {
    const gone = (token: string) => JSON.stringify({ pid: 2 ** 22 + 1, started: null, token });
    await writeFile(`${path}.lock`, gone("a"));
    await writeFile(`${path}.lock.a`, gone("b"));
    await writeFile(`${path}.lock.a.b`, "");
    await expect(lockFile(path)).rejects.toThrow("in use by another process");
    const old = new Date(Date.now() - 60_000);
    await utimes(`${path}.lock.a.b`, old, old);
    const won: (() => Promise<void>)[] = [];
    await Promise.allSettled(Array.from({ length: 20 }, async () => won.push(await lockFile(path))));
    expect(won).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name.includes("lock"))).toEqual(["meter.pawl.lock"]);
    await won[0]?.();
    expect(await readdir(folder)).toEqual(["meter.pawl"]);
  });

  it("that somebody holds while he takes over is left alone", async () => {
    await writeFile(`${path}.lock`, JSON.stringify({ pid: 2 ** 22 + 1, started: null, token: "a" }));
    await writeFile(`${path}.lock.a`, JSON.stringify({ pid: process.pid, started: null, token: "b" }));
    await expect(lockFile(path)).rejects.toThrow(`in use by process ${process.pid}`);
    expect((await readdir(folder)).toSorted()).toEqual([
      "meter.pawl",
      "meter.pawl.lock",
      "meter.pawl.lock.a",
    ]);
  });

  it("with a name that is none is one without a name", async () => {
    await writeFile(`${path}.lock`, JSON.stringify({ pid: 2 ** 22 + 1, started: null, token: "../x" }));
    await expect(lockFile(path)).rejects.toThrow("in use by another process");
    await utimes(`${path}.lock`, 0, 0);
    await (await lockFile(path))();
    expect(await readdir(folder)).toEqual(["meter.pawl"]);
  });

  it("is free when a close is over, whoever asked for it first, however far that one had come", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const store = open();
      await store.load();
      void store.close();
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      await store.close();
      expect(await readdir(folder)).toEqual(["meter.pawl"]);
    }
  });

  it("is not released by one that does not have it any more", async () => {
    const release = await lockFile(path);
    await writeFile(`${path}.lock`, JSON.stringify({ pid: process.pid, started: null, token: "another" }));
    await release();
    expect(await readdir(folder)).toContain("meter.pawl.lock");
  });
});

describe("a process killed while it moves the file", () => {
  it("leaves a file that can be used, at one of the two epochs", async () => {
    for (let run = 0; run < 8; run++) {
      const holder = await child(`
        const store = credentialFile(path);
        let held = await store.load();
        (async () => {
          for (;;) {
            const next = { epoch: held.epoch + 1, secret: new Uint8Array(32).fill(held.epoch + 1), last: new Uint8Array(16) };
            await store.commit(held, next);
            held = await store.load();
          }
        })();`);
      await new Promise((resolve) => setTimeout(resolve, 5 + run * 9));
      holder.kill("SIGKILL");
      await once(holder, "exit");
      const store = credentialFile(path);
      const { epoch, secret } = await store.load();
      expect(secret).toEqual(new Uint8Array(32).fill(epoch === 0 ? 0xa1 : epoch));
      await store.close();
      expect((await readdir(folder)).filter((name) => !name.endsWith(".mts"))).toEqual(["meter.pawl"]);
    }
  }, 60_000);
});
