import { HandshakeRefusedError, SessionEndedError } from "@pawl/client";
import { errorName, outcomeOf, type Victim } from "../../world/victim.ts";

/** What a client's caller got. */
export interface Outcome {
  readonly ok: boolean;
  /** The reason of the server's TERMINATE, where that is what it got. */
  readonly reason: string | null;
  readonly text: string;
}

/** Waits for a call of a client's, however it ends. */
export async function callOf(call: Promise<unknown>): Promise<Outcome> {
  const { error } = await outcomeOf(call);
  if (error === null) return { ok: true, reason: null, text: "was answered" };
  if (error instanceof SessionEndedError && error.reason !== null) {
    return { ok: false, reason: error.reason, text: `got TERMINATE (${error.reason})` };
  }
  if (error instanceof HandshakeRefusedError) {
    return { ok: false, reason: null, text: "was refused in silence" };
  }
  if (error instanceof SessionEndedError) {
    return { ok: false, reason: null, text: `found its session at an end (${errorName(error)})` };
  }
  return { ok: false, reason: null, text: `was refused (${errorName(error)})` };
}

/** One session with one round and a proper end. @throws what the client's calls throw */
export async function oneSession(
  client: Victim,
  at: { readonly host: string; readonly port: number },
): Promise<void> {
  const session = await client.connect(at);
  await client.say(session);
  await session.close();
}
