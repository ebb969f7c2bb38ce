import { type Actions, drop, each, inject, type ObservedFrame } from "../../mitm/index.ts";
import type { Mitm, Stage } from "../../stage.ts";

/** The attacker in a server's place. @param answer what he sends to each packet of the client; null: nothing */
export function impostor(
  stage: Stage,
  answer: (frame: ObservedFrame) => { readonly bytes: Uint8Array; readonly note: string } | null,
): Promise<Mitm> {
  const decide = (frame: ObservedFrame): Actions => {
    const made = answer(frame);
    return made === null ? drop : inject("s2c", made.bytes, made.note);
  };
  return stage.mitm({ upstream: null, program: () => each(decide) });
}

/** He sends these packets in their order, one for each of the client's. */
export function impostorThatPlays(stage: Stage, frames: readonly ObservedFrame[]): Promise<Mitm> {
  const left = [...frames];
  return impostor(stage, () => {
    const next = left.shift();
    return next === undefined ? null : { bytes: next.bytes, note: `${next.header?.opcode} of before` };
  });
}
