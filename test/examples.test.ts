import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pawlOnce, type Running, start } from "./support/pawl.ts";

let cwd = "";
const running: Running[] = [];
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pawl-examples-"));
});
afterEach(async () => {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
  await rm(cwd, { recursive: true, force: true });
});

describe("examples", () => {
  it("echo-server.ts answers its own client", async () => {
    const { code, stdout, stderr } = await start("examples/echo-server.ts", [], { cwd }).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("client 7, you said: hello");
  });

  it("rounds-server.ts and sensor-client.ts work together", async () => {
    expect((await pawlOnce(["init"], { cwd })).code).toBe(0);
    expect((await pawlOnce(["keys", "add"], { cwd })).code).toBe(0);
    const server = start("examples/rounds-server.ts", ["pawl", "0"], { cwd });
    running.push(server);
    const [, port = ""] = await server.until(/listening on 127\.0\.0\.1:(\d+)/);
    const sensor = await start("examples/sensor-client.ts", ["client-1.pawl", "127.0.0.1", port, "3", "1"], {
      cwd,
    }).finished;
    expect(sensor).toMatchObject({ code: 0, stderr: "" });
    expect(sensor.stdout).toBe(
      "round 1: sent 20, product 20 of 1\nround 2: sent 20.84, product 20.84 of 1\nround 3: sent 20.91, product 20.91 of 1\n",
    );
    expect(server.stdout()).toContain("round 3: 1 clients, product 20.91");
    server.child.kill("SIGTERM");
    expect((await server.finished).code).toBe(0);
    const wrong = await start("examples/sensor-client.ts", [], { cwd }).finished;
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("usage:") });
  }, 60_000);
});
