import type { Opcode } from "@pawl/protocol";
import { is, type ObservedFrame, type Recording } from "../../mitm/index.ts";
import type { Stage } from "../../stage.ts";
import type { Victim } from "../../world/victim.ts";

/** A session that went by while the attacker listened. */
export class Recorded {
  readonly recording: Recording;

  constructor(recording: Recording) {
    this.recording = recording;
  }

  /** What the client sent. */
  get c2s(): readonly ObservedFrame[] {
    return this.recording.frames({ direction: "c2s" });
  }

  /** What the server sent. */
  get s2c(): readonly ObservedFrame[] {
    return this.recording.frames({ direction: "s2c" });
  }

  /** @param nth of its kind, from 1 @throws where there was none */
  packet(opcode: Opcode, nth = 1): ObservedFrame {
    const frame = this.recording.frames().filter(is(opcode))[nth - 1];
    if (frame === undefined) throw new Error(`no ${opcode} number ${nth} was seen`);
    return frame;
  }
}

/** A client connects, is answered so many times, and goes; the attacker keeps every packet. */
export async function recordSession(stage: Stage, victim: Victim, rounds = 1): Promise<Recorded> {
  const mitm = await stage.mitm();
  const session = await victim.connect(mitm);
  for (let round = 1; round <= rounds; round++) await victim.say(session);
  await session.close();
  // Classic refuses its next session as long as the server has not noticed.
  await mitm.connection.closed;
  await mitm.close();
  return new Recorded(mitm.recording);
}
