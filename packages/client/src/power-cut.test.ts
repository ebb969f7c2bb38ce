import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientId, type Epoch, STRICT } from "@pawl/protocol";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Credential, serializeCredential } from "./credential.ts";
import { credentialFile } from "./credential-file.ts";
import { type Disk, type DiskCall, disksAfterCut } from "./testing/disk-model.ts";

const recorder = await vi.hoisted(async () => {
  const { Recorder } = await import("./testing/recorder.ts");
  return new Recorder();
});
vi.mock("node:fs/promises", async (original) => recorder.wrap(await original()));

/** Section 4.5.1: a power cut at any point of a commit leaves one of two secrets, and after it only the new one. */

const NAME = "meter.pawl";
const old: Credential = {
  suite: STRICT,
  clientId: 7 as ClientId,
  epoch: 3 as Epoch,
  secret: new Uint8Array(32).fill(0xa1),
  last: new Uint8Array(16).fill(3),
};
const moved = { epoch: 4 as Epoch, secret: new Uint8Array(32).fill(0xb2), last: new Uint8Array(16).fill(4) };
/** No process has this number, and none will. */
const NOBODY = 2 ** 31 - 1;

let folder = "";
let calls: readonly DiskCall[] = [];
/** How many calls had been made when the commit was reported durable: from here on DATA may leave. */
let committedAt = 0;
/** What the next start did before it said at which epoch it is. */
let loading: readonly DiskCall[] = [];
const initial: Disk = new Map([[NAME, Buffer.from(serializeCredential(old))]]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-power-"));
  const recorded = await materialise(initial, "recorded");
  recorder.start(recorded, initial);
  const store = credentialFile(join(recorded, NAME));
  const { epoch, secret } = await store.load();
  expect(await store.commit({ epoch, secret }, { ...moved })).toBe("done");
  committedAt = recorder.calls.length;
  await store.close();
  calls = [...recorder.calls];
  await store.load();
  loading = recorder.calls.slice(calls.length);
  await store.close();
  recorder.stop();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function materialise(disk: Disk, name: string): Promise<string> {
  const into = join(folder, name);
  await mkdir(into);
  for (const [file, bytes] of disk) {
    // Who had the lock went down with the power, and coming up again takes longer than an owner takes to write its name.
    const text = Buffer.from(bytes).toString().replace(`"pid":${process.pid},`, `"pid":${NOBODY},`);
    await writeFile(join(into, file), text, { mode: 0o600 });
    await utimes(join(into, file), 0, 0);
  }
  return into;
}

/** The epoch at which a client finds itself on that disk. */
async function epochOn(disk: Disk, name: string): Promise<number> {
  const place = await materialise(disk, name);
  const store = credentialFile(join(place, NAME));
  try {
    const { epoch, secret, last } = await store.load();
    const expected = epoch === old.epoch ? old : moved;
    expect({ epoch, secret, last }).toEqual({
      epoch: expected.epoch,
      secret: expected.secret,
      last: expected.last,
    });
    return epoch;
  } finally {
    await store.close();
    // What it opened again was removed: the next secret is nowhere but in the file.
    expect(await readdir(place)).toEqual([NAME]);
    await rm(place, { recursive: true });
  }
}

function keyOf(disk: Disk): string {
  return JSON.stringify([...disk].map(([name, bytes]) => [name, Buffer.from(bytes).toString("hex")]));
}

describe("a power cut", () => {
  it("before the commit is reported leaves one of the two secrets, after it the new one", async () => {
    const seen = new Map<string, number>();
    const epochs = { before: new Set<number>(), after: new Set<number>() };
    for (let cut = 0; cut <= calls.length; cut++) {
      for (const disk of disksAfterCut(initial, calls.slice(0, cut))) {
        const key = keyOf(disk);
        const epoch = seen.get(key) ?? (await epochOn(disk, `cut-${seen.size}`));
        seen.set(key, epoch);
        epochs[cut < committedAt ? "before" : "after"].add(epoch);
      }
    }
    expect(epochs).toEqual({ before: new Set([old.epoch, moved.epoch]), after: new Set([moved.epoch]) });
    // That there was something to cut.
    expect(seen.size).toBeGreaterThan(20);
  });

  it("behind a start leaves the secret that the start found, though a crash came before its folder was synced", async () => {
    const renamed = calls.findIndex(({ type }) => type === "rename") + 1;
    const disks = [...disksAfterCut(initial, [...calls.slice(0, renamed), ...loading])];
    expect(disks.length).toBeGreaterThan(1);
    for (const [index, disk] of disks.entries())
      expect(await epochOn(disk, `start-${index}`)).toBe(moved.epoch);
  });

  it("is modelled on what was done", async () => {
    const end = [...disksAfterCut(initial, [...calls, { type: "sync-folder" }])];
    expect(end).toHaveLength(1);
    expect([...(end[0]?.keys() ?? [])]).toEqual([NAME]);
    expect(Buffer.from(end[0]?.get(NAME) ?? []).toString()).toBe(
      await readFile(join(folder, "recorded", NAME), "utf8"),
    );
  });
});
