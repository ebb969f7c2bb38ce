import { describe, expect, it } from "vitest";
import { inTime, tally } from "./in-time.ts";

describe("inTime", () => {
  it("gives what the promise gives, or throws what it throws", async () => {
    expect(await inTime("a number", Promise.resolve(7), () => "nothing")).toBe(7);
    await expect(inTime("a number", Promise.reject(new Error("none")), () => "")).rejects.toThrow("none");
  });

  it("says what was awaited, and what there is by then", async () => {
    const seen = [{ type: "listening" }];
    const awaited = inTime("a connection", new Promise(() => {}), () => tally(seen), 5);
    seen.push({ type: "worker-ended" }, { type: "worker-ended" });
    await expect(awaited).rejects.toThrow(
      "waited 0.005 s for a connection; seen: listening, worker-ended ×2",
    );
  });
});
