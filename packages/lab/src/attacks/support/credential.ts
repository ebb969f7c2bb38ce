import type { Victim } from "../../world/victim.ts";
import type { Claimed } from "./forge.ts";

/** What who has stolen a client's credential holds. */
export async function stolenFrom({ store }: Victim): Promise<Claimed> {
  const { suite, clientId, epoch, secret } = await store.load();
  await store.close();
  return { suite, clientId, epoch, secret };
}
