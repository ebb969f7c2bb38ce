import { describe, expect, it } from "vitest";
import { ListenError, OptionError } from "./errors.ts";
import { createMemoryStore } from "./keys/index.ts";
import { resolveOptions, type ServerOptions } from "./options.ts";
import { LocalRounds } from "./rounds/index.ts";
import { createServer } from "./server.ts";

const keys = createMemoryStore();

describe("options", () => {
  it("have defaults, and never classic by themselves", () => {
    const { suites, maxMessage, maxClients, limits } = resolveOptions({ keys });
    expect(suites.map(({ name }) => name)).toEqual(["strict", "strict-gcm"]);
    expect({ maxMessage, maxClients }).toEqual({ maxMessage: 1 << 20, maxClients: 100 });
    expect(limits).toMatchObject({ helloDeadlineMs: 5_000, halfOpen: 512, halfOpenPerAddress: 64 });
  });

  const WRONG: [string, Partial<ServerOptions>][] = [
    ["maxMessage", { maxMessage: 4_095 }],
    ["maxClients", { maxClients: 0 }],
    ["limits.idleMs", { limits: { idleMs: 0 } }],
    ["rotation.maxSessionAgeMs", { rotation: { maxSessionAgeMs: 0 } }],
    ["rotation.maxSessionRounds", { rotation: { maxSessionRounds: 1 } }],
    ["onClone", { onClone: "ignore" as never }],
    ["overdueAfterMs", { overdueAfterMs: 0 }],
    ["suites", { suites: [] }],
    ["rounds.deadlineMs", { rounds: { deadlineMs: 0 } }],
    ["rounds.policy", { rounds: { policy: "later" as never } }],
    ["rounds.aggregates", { rounds: { aggregates: ["median" as never] } }],
    ["rounds", { rounds: {}, onMessage: (_session, message) => message }],
    ["rounds", { rounds: {}, roundsBackend: (context) => new LocalRounds(context) }],
  ];
  it.each(WRONG)("%s is refused by its name", (option, options) => {
    expect(() => createServer({ keys, ...options })).toThrow(
      expect.objectContaining({ option, code: "PAWL_OPTION" }),
    );
    expect(() => createServer({ keys, ...options })).toThrow(OptionError);
  });

  it("a port in use is a ListenError that says what to do", async () => {
    const first = createServer({ keys });
    const { port } = await first.listen({ port: 0 });
    const second = createServer({ keys });
    await expect(second.listen({ port })).rejects.toThrow(ListenError);
    await expect(createServer({ keys }).listen({ port })).rejects.toThrow("the port is in use");
    await expect(createServer({ keys }).listen({ host: "192.0.2.1", port: 0 })).rejects.toThrow(
      "no such address",
    );
    await first.close();
  });
});
