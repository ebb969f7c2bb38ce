import { type Actions, pass } from "./actions.ts";
import type { ObservedFrame } from "./observed.ts";

/**
 * An attack on one connection: a generator over its frames in both directions. The first `yield` waits for the first
 * frame; each later one says what becomes of the frame at hand and waits for the next. What comes after the program has
 * returned passes, the frame that it returned at included.
 *
 * ```ts
 * function* replayData(): Program {
 *   const data = yield* until(is("DATA"));
 *   yield [pass, inject("c2s", data.bytes, "the same DATA again")];
 * }
 * ```
 */
export type Program<Result = void> = Generator<Actions | undefined, Result, ObservedFrame>;

/** Passes frames until one matches, and gives that one, whose fate is still open. @param first the frame at hand */
export function* until(
  matches: (frame: ObservedFrame) => boolean,
  first?: ObservedFrame,
): Program<ObservedFrame> {
  let frame = first ?? (yield);
  while (!matches(frame)) frame = yield pass;
  return frame;
}

/** A program that decides on each frame by itself. */
export function* each(decide: (frame: ObservedFrame) => Actions): Program {
  let frame = yield;
  for (;;) frame = yield decide(frame);
}

/** Runs a program: `of` gives what becomes of each frame. */
export class ProgramRun {
  #program: Program | null;

  constructor(program: Program) {
    this.#program = program;
    if (program.next().done === true) this.#program = null;
  }

  of(frame: ObservedFrame): Actions {
    const step = this.#program?.next(frame);
    if (step?.done !== false) {
      this.#program = null;
      return pass;
    }
    return step.value ?? pass;
  }
}
