import type { Case, Expectation } from "../../attack.ts";
import { Recording, Watch } from "../../mitm/index.ts";
import type { Stage } from "../../stage.ts";
import type { World } from "../../world/world.ts";

/** A frame that the attacker presents to a server, on a connection of his own. */
export interface Presented {
  readonly name: string;
  readonly did: string;
  readonly frame: Uint8Array;
  readonly due: readonly string[];
  readonly expected?: Exclude<Expectation, "n/a">;
  /** Whose server; the stage's unless given. */
  readonly world?: World;
}

/** He presents it. The server took it where it answers. */
export async function present(stage: Stage, { frame, ...rest }: Presented): Promise<Case> {
  const recording = new Recording();
  const { world } = rest;
  const attacker = await stage.attacker(recording, world === undefined ? {} : { at: world.at });
  const watch = new Watch(recording, attacker.id, "server");
  attacker.send(frame, rest.did);
  return stage.refusal({
    ...rest,
    recording,
    connection: attacker.id,
    reaction: await watch.frames(1),
  });
}
