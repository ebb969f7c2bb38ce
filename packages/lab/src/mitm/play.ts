import { drop, inject } from "./actions.ts";
import type { ObservedFrame } from "./observed.ts";
import type { Program } from "./program.ts";
import type { AttackerConnection } from "./raw.ts";
import { type Reaction, Watch } from "./watch.ts";

/**
 * Plays the client's side of a recorded session to a server: each of its frames when the server has answered the one before
 * with a frame, until the server ends its stream or does not answer.
 * @param frames of the client, in their order
 * @param within how long to wait for each answer, milliseconds
 * @returns all that the server did
 */
export async function playClient(
  attacker: AttackerConnection,
  frames: readonly ObservedFrame[],
  within = 1_000,
): Promise<Reaction> {
  const { recording, id } = attacker;
  const all = new Watch(recording, id, "server");
  for (const frame of frames) {
    const watch = new Watch(recording, id, "server");
    attacker.send(frame.bytes, nameOf(frame));
    const { frames: answers, ended } = await watch.frames(1, within);
    if (ended !== null || answers.length === 0) break;
  }
  return all.now;
}

/**
 * Plays the server's side of a recorded session to a client, whose frames go nowhere: each of them is answered with the
 * next of the server's, and with those that came right behind it, before another of the client's.
 * @param frames of the server, in their order, of one connection
 */
export function* playServer(frames: readonly ObservedFrame[]): Program {
  yield;
  for (const turn of turnsOf(frames)) {
    yield turn.map((frame) => inject("s2c", frame.bytes, nameOf(frame)));
  }
  for (;;) yield drop;
}

/** Frames that follow each other without one of the other side between them. */
function turnsOf(frames: readonly ObservedFrame[]): ObservedFrame[][] {
  const turns: ObservedFrame[][] = [];
  for (const frame of frames) {
    const turn = turns.at(-1);
    if (turn?.at(-1)?.index === frame.index - 1) turn?.push(frame);
    else turns.push([frame]);
  }
  return turns;
}

function nameOf({ header }: ObservedFrame): string {
  return header === null ? "a frame of the recorded session" : `${header.opcode} of the recorded session`;
}
