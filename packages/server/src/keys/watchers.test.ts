import { clientId } from "@pawl/protocol";
import { expect, it, vi } from "vitest";
import { Watchers } from "./watchers.ts";

const change = { clientId: clientId(7), now: null };

it("tells a listener as often as it was added, until each is taken off", () => {
  const watchers = new Watchers();
  const listener = vi.fn();
  const [first, second] = [watchers.add(listener), watchers.add(listener)];
  watchers.tell(change);
  expect(listener).toHaveBeenCalledTimes(2);
  first();
  first();
  expect(watchers.size).toBe(1);
  watchers.tell(change);
  expect(listener).toHaveBeenCalledTimes(3);
  second();
  watchers.tell(change);
  expect(listener).toHaveBeenCalledTimes(3);
});

it("lets a listener take itself or others off while it is told", () => {
  const watchers = new Watchers();
  const told: string[] = [];
  const stopA = watchers.add(() => {
    told.push("a");
    stopA();
  });
  watchers.add(() => told.push("b"));
  watchers.tell(change);
  watchers.tell(change);
  expect(told).toEqual(["a", "b", "b"]);
  watchers.clear();
  watchers.tell(change);
  expect(told).toHaveLength(3);
});

it("tells the others when one throws, and lets the error be seen", async () => {
  const watchers = new Watchers();
  const told = vi.fn();
  const queued: (() => void)[] = [];
  vi.stubGlobal("queueMicrotask", (task: () => void) => queued.push(task));
  try {
    watchers.add(() => {
      throw new Error("a listener's mistake");
    });
    watchers.add(told);
    watchers.tell(change);
  } finally {
    vi.unstubAllGlobals();
  }
  expect(told).toHaveBeenCalledWith(change);
  expect(queued).toHaveLength(1);
  expect(() => queued[0]?.()).toThrow("a listener's mistake");
});
