import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CallPoint, compileInjector, injectorEnv, readTrace, type Strike } from "./chaos/injector.ts";
import { eventually, Processes } from "./chaos/processes.ts";
import { startServer } from "./chaos/roles.ts";
import { TARGET, World } from "./chaos/world.ts";
import { fillDisk, hasCompiler, mayMount, mountSmallDisk, remountReadOnly } from "./support/machine.ts";
import { Scene } from "./support/scene.ts";

/**
 * Disks that are full, broken or read-only, under the server's store and under a client's credential. Needs to mount, and
 * a C compiler for errors at a chosen call; what cannot run here is skipped by name.
 */

const RECOVERY_MS = 15_000;

const processes = new Processes();
const mounted: (() => void)[] = [];
let folder = "";
let enrolled: World;
let library = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-storage-"));
  library = (hasCompiler ? await compileInjector(folder) : null) ?? "";
  enrolled = await World.enrol(join(folder, "enrolled"), processes);
}, 90_000);
afterAll(async () => {
  processes.killAll();
  for (const unmount of mounted) unmount();
  await rm(folder, { recursive: true, force: true });
});

/** The log is cut to nothing about a second after a commit: from then on the next commit needs room. */
async function untilLogIsEmpty(world: World): Promise<void> {
  const log = join(world.home, "keys.db-wal");
  expect(await eventually(5_000, async () => ((await stat(log)).size === 0 ? true : null))).toBe(true);
}

/** What must hold while the store cannot be written, and after: the same whatever is wrong with it. */
async function livesThrough(
  scene: Scene,
  breakIt: () => Promise<void>,
  mendIt: () => Promise<void>,
): Promise<void> {
  await untilLogIsEmpty(scene.world);
  await breakIt();
  expect(await scene.live.contribute(), "a live session goes on").toBe(true);
  for (let visit = 1; visit <= 2; visit++) {
    const { code, answers, said } = await scene.visit();
    expect({ code, answers }, "a new session is not counted").toEqual({ code: 1, answers: 0 });
    expect(said).toHaveLength(1);
  }
  expect(await scene.checks.epochs({ equal: false })).toEqual([]);
  expect(await scene.count("store-error"), "the operator is told").toBeGreaterThan(0);
  expect(await scene.count("store-unavailable"), "once").toBe(1);
  expect(await scene.count("refused"), "who comes then is refused before its CHALLENGE").toBeGreaterThan(0);
  expect(await scene.live.contribute(), "a live session still goes on").toBe(true);
  expect(await scene.count("store-available")).toBe(0);
  await mendIt();
  expect(await scene.visitUntilServed(RECOVERY_MS), "new sessions are served again").toBe(true);
  expect(await scene.count("store-available"), "and the operator is told").toBe(1);
  expect(await scene.live.contribute()).toBe(true);
  expect(await scene.end()).toEqual([]);
}

/** A world whose home, or whose target's folder, is a small disk. */
async function worldOnSmallDisk(
  name: string,
  place: (world: World) => string,
  kibibytes: number,
): Promise<World> {
  const world = await enrolled.copyTo(join(folder, name));
  const disk = place(world);
  const aside = await enrolled.copyTo(join(folder, `${name}-aside`));
  mounted.push(mountSmallDisk(disk, kibibytes));
  await aside.copyFolder(place(aside), disk);
  return world;
}

describe.skipIf(!mayMount)("a small disk (needs to mount)", () => {
  it("that is full under the store ends no live session, counts nothing, and is recovered from", async () => {
    const world = await worldOnSmallDisk("full", ({ home }) => home, 256);
    const scene = await Scene.open(world, processes);
    let giveBack = async () => {};
    await livesThrough(
      scene,
      async () => {
        giveBack = await fillDisk(world.home);
      },
      () => giveBack(),
    );
  }, 60_000);

  it("that is read-only under the store is refused at the start, in one line", async () => {
    const world = await worldOnSmallDisk("read-only", ({ home }) => home, 256);
    remountReadOnly(world.home);
    const server = startServer(processes, world, "server", {});
    expect(await server.exit).toEqual({ code: 1, signal: null });
    expect(await server.objects()).toEqual([]);
    expect(await readFile(server.err, "utf8")).toMatch(/^pawl: .*keys\.db.*\n$/);
  });

  it("that is full under a credential shows before the server is involved", async () => {
    const world = await worldOnSmallDisk("client", (world) => dirname(world.credential(TARGET)), 64);
    const scene = await Scene.open(world, processes);
    // Room for the lock, none for the temporary file.
    const giveBack = await fillDisk(dirname(world.credential(TARGET)), 1);
    const greeted = await scene.count("handshake");
    const { code, said } = await scene.visit();
    expect({ code, said }).toEqual({ code: 1, said: [expect.stringContaining("the disk is full")] });
    expect(await scene.count("handshake")).toBe(greeted);
    await giveBack();
    expect((await scene.visit()).answers).toBe(1);
    expect(await scene.end()).toEqual([]);
  }, 30_000);
});

describe.skipIf(!hasCompiler)("a store whose calls fail (needs cc)", () => {
  it("is not served where it can be opened for reading alone", async () => {
    const world = await enrolled.copyTo(join(folder, "reading-alone"));
    const strike = { target: "database", call: "open", nth: 1, what: "EROFS" } as const;
    const server = startServer(
      processes,
      world,
      "server",
      injectorEnv(library, { files: world.serverFiles, strike }),
    );
    expect(await server.exit).toEqual({ code: 1, signal: null });
    expect(await readFile(server.err, "utf8")).toMatch(/^pawl: .*keys\.db cannot be written; .*\n$/);
  });

  const failures: { name: string; target: string; call: string; what: Strike }[] = [
    { name: "writes with EIO", target: "*", call: "write", what: "EIO" },
    { name: "syncs with EIO", target: "*", call: "sync", what: "EIO" },
    { name: "everything with EROFS", target: "*", call: "*", what: "EROFS" },
    { name: "everything with ENOSPC", target: "*", call: "*", what: "ENOSPC" },
  ];
  it.each(failures)(
    "$name: ends no live session, counts nothing, is recovered from",
    async ({ name, ...rest }) => {
      const world = await enrolled.copyTo(join(folder, name.replaceAll(" ", "-")));
      const gate = join(world.logs, "broken");
      // The index is memory that happens to have a name.
      const { database = "", log = "", home = "" } = world.serverFiles;
      const files = { database, log, home };
      const env = injectorEnv(library, { files, gate, strike: { ...rest, nth: 1 } });
      const scene = await Scene.open(world, processes, env);
      await livesThrough(
        scene,
        () => writeFile(gate, ""),
        () => rm(gate),
      );
    },
    60_000,
  );
});

describe.skipIf(!hasCompiler)("a credential at each of whose calls the disk fails (needs cc)", () => {
  /** Failing to tidy up is no reason to fail: the next start does it. */
  const TIDYING = new Set(["lock unlink 1", "temporary unlink 2"]);
  const nameOf = ({ target, call, nth }: CallPoint) => `${target} ${call} ${nth}`;

  it("is never behind, sends nothing that may count, and goes on once the disk is well", async () => {
    const world = await enrolled.copyTo(join(folder, "credential"));
    const scene = await Scene.open(world, processes);
    const files = world.clientFiles;
    const trace = join(world.logs, "trace");
    expect((await scene.visit(injectorEnv(library, { files, trace }))).answers).toBe(1);
    const calls = await readTrace(trace);
    const hello = calls.findIndex(({ target }) => target === "socket");
    const ofFiles = calls.filter(({ target }) => target !== "socket");
    expect(ofFiles.length).toBeGreaterThan(12);
    for (const point of ofFiles) {
      const what = point.call === "open" || point.call === "write" ? "ENOSPC" : "EIO";
      const before = { greeted: await scene.count("handshake"), counted: await scene.count("message") };
      const { code, answers, said } = await scene.visit(
        injectorEnv(library, { files, strike: { ...point, what } }),
      );
      if (TIDYING.has(nameOf(point))) {
        expect(answers, nameOf(point)).toBe(1);
      } else {
        expect({ code, answers }, nameOf(point)).toEqual({ code: 1, answers: 0 });
        expect(said, nameOf(point)).toHaveLength(1);
        expect(await scene.count("message"), nameOf(point)).toBe(before.counted);
        if (calls.indexOf(point) < hello)
          expect(await scene.count("handshake"), nameOf(point)).toBe(before.greeted);
      }
      expect(await scene.checks.epochs({ equal: false }), nameOf(point)).toEqual([]);
      expect((await scene.visit()).answers, `after ${nameOf(point)}`).toBe(1);
    }
    expect(await scene.end()).toEqual([]);
  }, 120_000);
});
