import { describe, expect, it } from "vitest";
import { ClientSession } from "./client.ts";
import { defaultCrypto } from "./crypto/default.ts";
import { IllegalTransitionError } from "./errors.ts";
import { ServerSession } from "./server.ts";
import { CLASSIC, STRICT, STRICT_GCM, SUITES, type Suite } from "./suites.ts";
import { clientEvents, inClientState, inServerState, serverEvents } from "./testing/states.ts";
import {
  CLIENT_TRANSITIONS,
  type ClientState,
  SERVER_TRANSITIONS,
  type ServerState,
  type StateRow,
} from "./transitions.ts";

/**
 * The whole grid, role × state × trigger: what the table has is carried out and leads to a state that it names; what it
 * lacks is an UnexpectedOpcodeError when it came as a packet, else an IllegalTransitionError that changes nothing.
 */

const clientStates = Object.keys(CLIENT_TRANSITIONS) as ClientState[];
const serverStates = Object.keys(SERVER_TRANSITIONS) as ServerState[];
const allowed = (row: StateRow<string, string, string>, trigger: string, opcode: boolean, suite: Suite) => {
  const move = row.on[trigger] ?? (opcode ? row.on.packet : undefined);
  return move !== undefined && !(move.strictOnly && !suite.strict) ? move : undefined;
};
const PACKETS = ["HELLO", "CHALLENGE", "DATA", "AGGREGATE", "TERMINATE"];

for (const suite of [CLASSIC, STRICT, STRICT_GCM]) {
  describe(`client of ${suite.name}`, () => {
    for (const state of clientStates) {
      if (!suite.strict && (state === "committing" || state === "terminated")) continue;
      for (const trigger of [
        ...PACKETS,
        "start",
        "committed",
        "send",
        "terminate",
        "frame-error",
        "end-of-stream",
        "abort",
      ]) {
        it(`${state} × ${trigger}`, () => {
          const peer = inClientState(state, suite);
          const row: StateRow<string, string, string> = CLIENT_TRANSITIONS[state];
          check(peer, state, row, trigger, suite, (t) => peer.handle(clientEvents(suite)(t)));
        });
      }
    }
  });

  describe(`server of ${suite.name}`, () => {
    for (const state of serverStates) {
      const strictOnly = ["deriving", "catching-up", "re-reading", "committing", "terminated"];
      if (!suite.strict && strictOnly.includes(state)) continue;
      for (const trigger of [
        ...PACKETS,
        "found",
        "derived",
        "committed",
        "epoch-moved",
        "deadline",
        "answer",
        "terminate",
        "frame-error",
        "end-of-stream",
        "abort",
      ]) {
        it(`${state} × ${trigger}`, () => {
          const peer = inServerState(state, suite);
          const row: StateRow<string, string, string> = SERVER_TRANSITIONS[state];
          check(peer, state, row, trigger, suite, (t) => peer.handle(serverEvents(peer, suite)(t)));
        });
      }
    }
  });
}

function check(
  peer: ReturnType<typeof inClientState> | ReturnType<typeof inServerState>,
  state: string,
  row: StateRow<string, string, string>,
  trigger: string,
  suite: Suite,
  give: (trigger: string) => void,
): void {
  expect(peer.session.state).toBe(state);
  peer.hold = true;
  const isPacket = PACKETS.includes(trigger);
  const move = allowed(row, trigger, isPacket, suite);
  const sent = peer.sent.length;
  if (move !== undefined) {
    give(trigger);
    expect([...move.next, "ended"]).toContain(peer.session.state);
    return;
  }
  if (isPacket && !row.awaits) {
    give(trigger);
    // Of a packet's own direction nothing is ever taken; the other one is refused by its opcode.
    expect(peer.end).toMatchObject({ kind: "violation" });
    expect(["UnexpectedOpcodeError", "DirectionError"]).toContain(
      peer.end?.kind === "violation" ? peer.end.error.name : "",
    );
    expect(peer.session.state).toBe("ended");
  } else {
    expect(() => give(trigger)).toThrow(IllegalTransitionError);
    expect(peer.session.state).toBe(state);
  }
  expect(peer.sent.length).toBe(sent);
}

describe("the tables", () => {
  it("reach every state, and lead only to states that they have", () => {
    for (const [table, start] of [
      [CLIENT_TRANSITIONS, "idle"],
      [SERVER_TRANSITIONS, "wait-hello"],
    ] as const) {
      const rows: Record<string, StateRow<string, string, string>> = table;
      const reached = new Set<string>([start]);
      for (const state of reached) {
        for (const move of Object.values(rows[state]?.on ?? {}))
          for (const next of move?.next ?? []) reached.add(next);
      }
      expect([...reached].sort()).toEqual(Object.keys(rows).sort());
    }
  });

  it("let every state be aborted, and an awaiting one take only its answer beside", () => {
    for (const table of [CLIENT_TRANSITIONS, SERVER_TRANSITIONS]) {
      for (const row of Object.values(table) as StateRow<string, string, string>[]) {
        expect(row.on.abort).toBeDefined();
        if (row.awaits) expect(Object.keys(row.on)).toHaveLength(2);
      }
    }
  });

  it("start where a session starts", () => {
    const server = new ServerSession({ crypto: defaultCrypto(), suites: SUITES, maxMessage: 4096 });
    expect(server.state).toBe("wait-hello");
    expect(server.awaiting).toBe(false);
    expect(inClientState("idle", STRICT).session).toBeInstanceOf(ClientSession);
  });
});
