import { DEFAULT_WINDOW, type ServerEffect, type ServerEvent, wipe } from "@pawl/protocol";
import type { RecordHost } from "./host.ts";
import { messageOf } from "./keys/message-of.ts";

/** An effect that a session waits for the answer of. */
export type AwaitingEffect = Extract<ServerEffect, { type: "look-up" | "derive" | "commit" }>;
type Answer = Extract<ServerEvent, { type: "found" | "derived" | "committed" }>;
type Effect<T extends AwaitingEffect["type"]> = Extract<AwaitingEffect, { type: T }>;

interface Origin {
  readonly connection: number;
  readonly remoteAddress: string;
}

/** Answers the effects of one session that concern its client's record, and says what they cost and how they failed. */
export class RecordAccess {
  readonly #host: RecordHost;
  readonly #limitKey: string;

  constructor(host: RecordHost, limitKey: string) {
    this.#host = host;
    this.#limitKey = limitKey;
  }

  /**
   * Null where the connection is to be closed in silence; an event has said why. Never rejects.
   * @param greeting CHALLENGE has not been sent
   */
  async answer(effect: AwaitingEffect, greeting: boolean, origin: Origin): Promise<Answer | null> {
    const { events, health } = this.#host;
    if (effect.type === "look-up" && greeting && !health.available) {
      const { clientId } = effect;
      events.emit({ type: "refused", reason: "store-unavailable", clientId, ...origin });
      return null;
    }
    try {
      if (effect.type === "look-up") return await this.#lookUp(effect, origin);
      if (effect.type === "commit") return await this.#commit(effect, origin);
      return { type: "derived", secret: await this.#host.derivations.run(effect), ...this.#entropy() };
    } catch (error) {
      events.emit({ type: "store-error", operation: "look-up", message: messageOf(error), ...origin });
      if (effect.type === "look-up") health.suspect();
      return null;
    }
  }

  async #lookUp({ clientId, suite, epoch }: Effect<"look-up">, origin: Origin): Promise<Answer | null> {
    const { options, events, commons } = this.#host;
    const record = await options.keys.lookUp(clientId);
    const { live, room, spent } = await commons.standing({ clientId, epoch, gcm: suite.cipher === "gcm" });
    const answer: Answer = { type: "found", record, live, ...this.#entropy() };
    if (record === null || record.revoked) return answer;
    // A HELLO ahead costs derivations before anybody knows whether it is authentic.
    const ahead = epoch - record.epoch;
    if (ahead > DEFAULT_WINDOW && ahead <= record.window)
      commons.charge(this.#limitKey, ahead / DEFAULT_WINDOW);
    if (!room) {
      events.emit({ type: "client-cap", cap: options.maxClients, clientId, ...origin });
    } else if (spent) {
      events.emit({ type: "challenge-budget", clientId, ...origin });
    } else {
      return answer;
    }
    wipeAnswer(answer);
    return null;
  }

  /** A commit that fails has an outcome that nobody knows: the session takes it as lost (section 4.5.4). */
  async #commit(effect: Effect<"commit">, origin: Origin): Promise<Answer> {
    const { options, events, health } = this.#host;
    const { clientId, expected, next, accepted } = effect;
    const startedAt = options.clock.elapsed();
    let answer: Answer;
    try {
      const result = await options.keys.commit({ clientId, expected, next, accepted });
      answer =
        result.outcome === "done"
          ? { type: "committed", outcome: "done", ...this.#entropy() }
          : { type: "committed", outcome: "lost", current: result.current, ...this.#entropy() };
    } catch (error) {
      events.emit({ type: "store-error", operation: "commit", message: messageOf(error), ...origin });
      health.commitFailed(error);
      answer = { type: "committed", outcome: "unknown", ...this.#entropy() };
    } finally {
      wipe(next.secret);
    }
    const purpose = accepted === null ? "catch-up" : "first-packet";
    const latencyMs = options.clock.elapsed() - startedAt;
    events.emit({ type: "commit", purpose, outcome: answer.outcome, latencyMs, clientId, ...origin });
    return answer;
  }

  #entropy(): { nonce: Uint8Array; iv: Uint8Array } {
    const { random } = this.#host.options;
    return { nonce: random(32), iv: random(16) };
  }
}

/** Overwrites the secrets of an answer that no session takes. */
export function wipeAnswer(answer: Answer): void {
  if (answer.type === "derived") wipe(answer.secret);
  else if (answer.type === "found") wipe(answer.record?.secret);
  else if (answer.outcome === "lost") wipe(answer.current?.secret);
}
