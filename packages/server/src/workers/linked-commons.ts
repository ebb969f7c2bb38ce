import type { Commons, Greeting, HelloClaim, Member, Standing } from "../commons.ts";
import { generationText } from "../rounds/index.ts";
import type { ToPrimary } from "./messages.ts";

/** A worker's side of what all connections have in common: the primary keeps it. */
export class LinkedCommons implements Commons {
  readonly #send: (message: ToPrimary) => void;
  readonly #asks = new Map<number, (standing: Standing) => void>();
  #asked = 0;
  /** What the primary knows of each half-open connection that has anything buffered. */
  readonly #buffered = new WeakMap<Member, number>();

  constructor(send: (message: ToPrimary) => void) {
    this.#send = send;
  }

  standing({ clientId, epoch, gcm }: HelloClaim): Promise<Standing> {
    const ask = ++this.#asked;
    this.#send({ type: "standing", ask, clientId, epoch, gcm });
    return new Promise((resolve) => this.#asks.set(ask, resolve));
  }

  /** The primary's answer to an earlier `standing`. */
  answered(ask: number, standing: Standing): void {
    this.#asks.get(ask)?.(standing);
    this.#asks.delete(ask);
  }

  charge(limitKey: string, handshakes: number): void {
    this.#send({ type: "charge", limitKey, handshakes });
  }

  /** Said after each packet of a handshake; most leave nothing behind, and are no news. */
  buffers(member: Member, bytes: number): void {
    if ((this.#buffered.get(member) ?? 0) === bytes) return;
    this.#buffered.set(member, bytes);
    this.#send({ type: "buffers", id: member.id, bytes });
  }

  greeted({ id }: Member, { clientId, epoch, gcm, generation }: Greeting): void {
    this.#send({ type: "greeted", id, clientId, epoch, gcm, generation: generationText(generation) });
  }

  becameLive({ id }: Member): void {
    this.#send({ type: "live", id });
  }

  ended({ id }: Member): void {
    this.#send({ type: "ended", id });
  }
}
