import { copyOf, type Epoch, nodeCrypto, wipe } from "@pawl/protocol";
import type { Credential } from "./credential.ts";

export interface StoredSecret {
  readonly epoch: Epoch;
  readonly secret: Uint8Array;
}

/**
 * Where a client keeps what it knows. `credentialFile` is the one for disks; an embedder may bring its own (flash, a
 * secure element). What it promises is section 4.5.1 of the specification.
 */
export interface CredentialStore {
  /**
   * What is stored, known to be durable; held for this holder alone from here on until `close`. Everything that the
   * next commit needs is set aside here, so that a full disk shows before the server is involved.
   */
  load(): Promise<Credential>;
  /**
   * A compare-and-set on the stored secret: `next` in its place, durable when `done`. `lost`: another secret was there,
   * nothing was written. A rejected promise leaves the outcome unknown. The caller overwrites both secrets afterwards.
   */
  commit(
    expected: StoredSecret,
    next: StoredSecret & { readonly last: Uint8Array },
  ): Promise<"done" | "lost">;
  close(): Promise<void>;
}

/** A credential in memory, for tests and for those who keep it elsewhere. Forgotten with the process. */
export function memoryCredential(credential: Credential): CredentialStore {
  let { epoch } = credential;
  const stored = { secret: copyOf(credential.secret), last: copyOf(credential.last) };
  return {
    load: async () => ({ ...credential, epoch, secret: copyOf(stored.secret), last: copyOf(stored.last) }),
    commit: async (expected, next) => {
      if (expected.epoch !== epoch || !nodeCrypto.equal(expected.secret, stored.secret)) return "lost";
      wipe(stored.secret);
      epoch = next.epoch;
      stored.secret = copyOf(next.secret);
      stored.last = copyOf(next.last);
      return "done";
    },
    close: async () => {},
  };
}
