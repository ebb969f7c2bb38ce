import { wipe } from "./bytes.ts";
import {
  acceptedAnother,
  type ClientRecord,
  checkHelloEpoch,
  type RecordWithoutSecret,
  withoutSecret,
} from "./client-record.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import type { ServerEffect } from "./effects.ts";
import { DesyncError, IdentityError, IllegalTransitionError, SuiteError } from "./errors.ts";
import type { ServerEvent } from "./events.ts";
import { EpochSecret } from "./key-schedule.ts";
import { LAST_BYTES, MAX_INLINE_DERIVATIONS, NONCE_BYTES } from "./limits.ts";
import { openDecoy, openHandshake } from "./record.ts";
import type { Received } from "./session.ts";

/** Bytes of message of a HELLO in the strict suites: `nonce ‖ last`. */
const HELLO_BYTES = NONCE_BYTES + LAST_BYTES;

/** What comes next: an answer to wait for, CHALLENGE, or the end in silence. */
export type HelloStep =
  | { readonly next: "looking-up" | "deriving" | "catching-up" }
  /** `E_e` of the HELLO, whose owner the caller becomes, and the generation that the record has. */
  | { readonly next: "challenge"; readonly secret: EpochSecret; readonly generation: bigint }
  | { readonly next: "lost" };

/**
 * What a server decides on one HELLO (section 4.5.2): it is looked up, checked, verified, and where its epoch is ahead
 * the record is moved there first.
 */
export class HelloDecision {
  readonly received: Received;
  readonly #crypto: CryptoProvider;
  readonly #emit: (effect: ServerEffect) => void;
  /** The record as read, while a derivation or a catch-up is under way. */
  #record: RecordWithoutSecret | null = null;
  /** `E_e`, while the catch-up to it is under way. */
  #secret: EpochSecret | null = null;
  /** Its compare-and-set has lost once: a second loss ends the connection in silence. */
  #retried = false;
  #reportedClone = false;

  /** @param emit takes the effects that a step has */
  constructor(crypto: CryptoProvider, received: Received, emit: (effect: ServerEffect) => void) {
    this.#crypto = crypto;
    this.received = received;
    this.#emit = emit;
  }

  lookUp(): HelloStep & { next: "looking-up" } {
    const { clientId, suite, epoch } = this.received.header;
    this.#emit({ type: "look-up", clientId, suite, epoch });
    return { next: "looking-up" };
  }

  /** Check 5 of section 1. @throws IdentityError, SuiteError */
  identify(record: ClientRecord | null): ClientRecord {
    if (record === null || record.revoked) {
      openDecoy(this.#crypto, this.received);
      if (record === null) throw new IdentityError("an unknown client", "unknown");
      throw new IdentityError("a revoked client", "revoked");
    }
    if (record.suite !== this.received.header.suite) {
      throw new SuiteError(`this client is pinned to ${record.suite.name}`);
    }
    return record;
  }

  /** Checks 6 to 9 against the record of a strict suite; its secret stays the caller's. @throws ProtocolError */
  found(record: ClientRecord): HelloStep {
    const { header } = this.received;
    const { suite, clientId, epoch: from } = record;
    if (header.epoch < from) this.#emit({ type: "stale-epoch", clientId, epoch: header.epoch, stored: from });
    checkHelloEpoch(header.epoch, record);
    if (header.round !== 0) throw new DesyncError(`round ${header.round} in HELLO`);
    const stored = new EpochSecret(this.#crypto, suite, clientId, from, record.secret);
    if (header.epoch - from <= MAX_INLINE_DERIVATIONS) {
      return this.#verify(withoutSecret(record), stored.forward(header.epoch));
    }
    this.#record = withoutSecret(record);
    this.#emit({ type: "derive", suite, clientId, from, to: header.epoch, secret: stored.copy() });
    return { next: "deriving" };
  }

  /** Takes `secret` over. @throws HmacError, FormatError */
  derived(secret: Uint8Array): HelloStep {
    const { suite, clientId, epoch } = this.received.header;
    if (this.#record === null) throw new IllegalTransitionError("no derivation was asked for");
    return this.#verify(this.#record, new EpochSecret(this.#crypto, suite, clientId, epoch, secret));
  }

  caughtUp(event: Extract<ServerEvent, { type: "committed" }>): HelloStep {
    const [record, secret] = [this.#record, this.#secret];
    if (record === null || secret === null) throw new IllegalTransitionError("no catch-up was asked for");
    this.#record = null;
    this.#secret = null;
    if (event.outcome === "done") return { next: "challenge", secret, generation: record.generation };
    secret.wipe();
    if (event.outcome === "lost") wipe(event.current?.secret);
    if (this.#retried) return { next: "lost" };
    this.#retried = true;
    return this.lookUp();
  }

  wipe(): void {
    this.#secret?.wipe();
    this.#secret = null;
  }

  /** Checks 8 and 9; takes `secret` (`E_e`) over. Then CHALLENGE, or a catch-up first. */
  #verify(record: RecordWithoutSecret, secret: EpochSecret): HelloStep {
    let last: Uint8Array;
    try {
      last = openHandshake(this.#crypto, secret.helloKeys(), this.received, HELLO_BYTES).subarray(
        NONCE_BYTES,
      );
    } catch (error) {
      secret.wipe();
      throw error;
    }
    this.#detectClone(record, last);
    const { clientId, suite, generation, epoch } = record;
    if (secret.epoch === epoch) return { next: "challenge", secret, generation };
    this.#record = record;
    this.#secret = secret;
    this.#emit({
      type: "commit",
      clientId,
      suite,
      expected: { generation, epoch },
      next: { epoch: secret.epoch, secret: secret.copy() },
      accepted: null,
    });
    return { next: "catching-up" };
  }

  /** *accepted* shows epoch e−1 with another `T` than `last` (not zeros). Said once for a HELLO. */
  #detectClone({ accepted, clientId, epoch: stored }: RecordWithoutSecret, last: Uint8Array): void {
    const { epoch } = this.received.header;
    const known = last.some((byte) => byte !== 0);
    if (this.#reportedClone || !known || !acceptedAnother(accepted, epoch - 1, last)) return;
    this.#reportedClone = true;
    this.#emit({ type: "clone-detected", clientId, epoch, stored });
  }
}
