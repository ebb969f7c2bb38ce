import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { matches, Shell, typedCommands } from "./support/console.ts";

/** docs/LAB.md, typed as it stands there, in one shell from top to bottom. */

const commands = typedCommands(fileURLToPath(new URL("../docs/LAB.md", import.meta.url)));

let cwd: string;
let shell: Shell;
/** The ports that the document names, and those that are free here. */
let ports: ReadonlyMap<string, string>;
beforeAll(async () => {
  const named = [
    ...new Set(commands.flatMap(({ command }) => command.match(/(?<=127\.0\.0\.1:)\d+/g) ?? [])),
  ];
  const free = await freePorts(named.length);
  ports = new Map(named.map((port, index) => [port, String(free[index])]));
  cwd = await mkdtemp(join(tmpdir(), "pawl-course-"));
  shell = new Shell(cwd);
});
/** Held all at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const found = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return found;
}

afterAll(async () => {
  await shell.close();
  await rm(cwd, { recursive: true, force: true });
});

const here = (text: string) => text.replaceAll(/(?<=127\.0\.0\.1:)\d+/g, (port) => ports.get(port) ?? port);

describe("docs/LAB.md", () => {
  it.each(commands)(
    "line $line: $command",
    async ({ command, output }) => {
      const printed = await shell.run(here(command));
      // The text beside it, so that a failure shows both.
      if (!matches(here(output), printed)) expect(printed).toBe(here(output));
    },
    60_000,
  );

  it("has about ten exercises", () => {
    expect(commands.length).toBeGreaterThan(15);
  });
});

describe("what a document says that is printed", () => {
  it("matches it line by line, with … for any text and any lines", () => {
    expect(matches("a … c", "a b c")).toBe(true);
    expect(matches("a … c", "a b d")).toBe(false);
    expect(matches("a\n…\nz", "a\nb\nc\nz")).toBe(true);
    expect(matches("a\n…\nz", "a\nz\n")).toBe(true);
    expect(matches("a\n…", "b\n")).toBe(false);
    expect(matches("a", "a\nb")).toBe(false);
    expect(matches("", "")).toBe(true);
    expect(matches("", "x")).toBe(false);
    expect(matches("1.5 (x)", "1x5 (x)")).toBe(false);
  });
});
