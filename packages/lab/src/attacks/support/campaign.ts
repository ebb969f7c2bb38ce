import type { Case } from "../../attack.ts";
import { is, Recording, Watch } from "../../mitm/index.ts";
import type { Stage } from "../../stage.ts";
import type { Victim } from "../../world/victim.ts";
import type { World } from "../../world/world.ts";
import { callOf, oneSession } from "./outcome.ts";
import { PATIENCE_MS } from "./private-world.ts";

/** Numbers that look random and come again in the same order (xorshift). */
export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** 0 … `below` − 1. */
  next(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }

  pick<T>(from: readonly T[]): T {
    const one = from[this.next(from.length)];
    if (one === undefined) throw new RangeError("nothing to pick from");
    return one;
  }
}

/** One thing done to one client over and over, so that it and its server come apart. */
export interface Campaign {
  readonly name: string;
  /** "cut the connection at CHALLENGE". */
  readonly did: string;
  readonly times: number;
  readonly victim: Victim;
  /** What all connections of the campaign went through. */
  readonly recording: Recording;
  /** The server that runs now. */
  world(): World;
  attempt(n: number): Promise<void>;
}

/** Runs a campaign, with old HELLOs in between, and has the client come back in one honest attempt. */
export async function campaignCase(stage: Stage, campaign: Campaign): Promise<Case> {
  const { name, did, times, victim, recording, attempt } = campaign;
  const random = new Seeded(times);
  let [apart, replayed] = [0, 0];
  for (let n = 0; n < times; n++) {
    stage.signal.throwIfAborted();
    await attempt(n);
    const hellos = recording.frames({ direction: "c2s" }).filter(is("HELLO"));
    if (hellos.length > 0) {
      await replay(stage, campaign.world(), random.pick(hellos).bytes);
      replayed++;
    }
    const { client, server } = await epochs(campaign);
    if (client < server || client > server + 1) apart++;
  }
  const before = await epochs(campaign);
  const contact = await callOf(oneSession(victim, campaign.world().at));
  return {
    name,
    did: `${did}, ${times} times, and sent ${replayed} old HELLOs in between`,
    happened: `client at epoch ${before.client}, server at ${before.server}; then the client ${contact.text} in one attempt`,
    worked: !contact.ok || apart > 0,
    refusedBy: null,
    due: null,
    figures: { attempts: times, replayed, apart },
    recording,
  };
}

async function replay(stage: Stage, { at }: World, hello: Uint8Array): Promise<void> {
  const recording = new Recording();
  const attacker = await stage.attacker(recording, { at });
  const watch = new Watch(recording, attacker.id, "server");
  attacker.send(hello, "an old HELLO");
  await watch.frames(1, PATIENCE_MS);
  attacker.end("rst");
}

async function epochs({ victim, world }: Campaign): Promise<{ client: number; server: number }> {
  const { epoch } = await victim.store.load();
  await victim.store.close();
  return { client: epoch, server: (await world().keys.get(victim.clientId))?.epoch ?? 0 };
}
