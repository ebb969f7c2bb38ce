import { TERMINATE_REASONS } from "../../packages/protocol/src/reasons.ts";
import { bytes, type NegativeVectors } from "../load.ts";
import { Receiver } from "../states.ts";
import { fill } from "./schedule.ts";

const GIVES: Record<string, string> = { "wait-first": "CHALLENGE", answering: "data", ready: "challenge" };

export function recomputeNegative(file: NegativeVectors & Record<string, unknown>): Record<string, unknown> {
  return {
    ...file,
    states: file.states.map((state) =>
      fill(state, {
        frameLimit: state.phase === "terminated" ? state.frameLimit : new Receiver(state.id).frameLimit,
      }),
    ),
    cases: file.cases.map((v) => {
      const receiver = new Receiver(v.state);
      const before = receiver.peer.session.state;
      receiver.feed(bytes(v.frame));
      const end = receiver.peer.end;
      const ended = end?.kind === "terminated" && end.by === "peer";
      const state = receiver.peer.session.state;
      return fill(v, {
        error: receiver.violation,
        gives: ended ? "terminate" : before === "wait-aggregate" ? "aggregate" : (GIVES[state] ?? state),
        ...(ended ? { reason: TERMINATE_REASONS[end.reason] } : {}),
        commits: receiver.commits,
      });
    }),
  };
}
