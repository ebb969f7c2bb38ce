import { drop, each, inject, type ObservedFrame, type ProxiedConnection } from "../../mitm/index.ts";
import type { Mitm, Stage } from "../../stage.ts";

/** What an impostor sends, and what it is, in a few words. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly note: string;
}

/** The attacker in a server's place. @param answer what he sends to each packet of the client; null: nothing */
export function impostor(
  stage: Stage,
  answer: (frame: ObservedFrame, connection: ProxiedConnection) => Answer | null,
): Promise<Mitm> {
  return stage.mitm({
    upstream: null,
    program: (connection) =>
      each((frame) => {
        const made = answer(frame, connection);
        return made === null ? drop : inject("s2c", made.bytes, made.note);
      }),
  });
}

/** He sends these packets in their order, one for each of the client's. */
export function impostorThatPlays(stage: Stage, frames: readonly ObservedFrame[]): Promise<Mitm> {
  const left = [...frames];
  return impostor(stage, () => {
    const next = left.shift();
    return next === undefined ? null : { bytes: next.bytes, note: `${next.header?.opcode} of before` };
  });
}
