import { type ClientId, copyOf, type Epoch, wipe } from "@pawl/protocol";
import type { Random } from "@pawl/protocol/driver";
import { StoreError } from "../errors.ts";
import { type Keyring, type SecretBinding, unwrapSecret, wrapSecret } from "../wrapping.ts";
import type { SecretRow } from "./rows.ts";
import { bytesOfCell, cellOf } from "./secret-slots.ts";

/** Of a slot that is not there, in a database that was tampered with. */
const NO_CELL = new Uint8Array();

type Place = Pick<SecretRow, "client_id" | "suite" | "epoch">;

/** Makes and opens what the columns `secret` and `wrap` of a client hold. */
export class SecretColumns {
  readonly #service: string;
  readonly #random: Random;
  /** Replaced when the database has moved to another db key. */
  keyring: Keyring;

  constructor(service: string, keyring: Keyring, random: Random) {
    this.#service = service;
    this.#random = random;
    this.keyring = keyring;
  }

  /** The cell that holds `secret` under the db key `wrap`, which is overwritten after use. @throws MissingDbKeyError */
  seal(wrap: string | null, at: Place, secret: Uint8Array): Uint8Array {
    return cellOf(
      wrap === null ? secret : wrapSecret(this.keyring.get(wrap), this.#binding(at), secret, this.#random),
    );
  }

  /** The secret is the caller's. @throws MissingDbKeyError; StoreError where it was altered or moved */
  open(row: Place & Pick<SecretRow, "secret" | "wrap">): Uint8Array {
    const stored = bytesOfCell(row.secret ?? NO_CELL);
    if (row.wrap === null && this.keyring.ids.length === 0 && stored.length > 0) {
      const secret = copyOf(stored);
      wipe(stored);
      return secret;
    }
    const secret =
      row.wrap === null ? null : unwrapSecret(this.keyring.get(row.wrap), this.#binding(row), stored);
    if (secret !== null) return secret;
    throw new StoreError(
      `the secret of client ${row.client_id} does not open: its row was altered or exchanged; restore a backup, or reissue it`,
    );
  }

  #binding({ client_id, suite, epoch }: Place): SecretBinding {
    // The table's CHECKs hold the ranges; a number that is none opens nothing.
    return { service: this.#service, suite, clientId: client_id as ClientId, epoch: epoch as Epoch };
  }
}
