import { constants } from "node:fs";
import { type FileHandle, open, realpath, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { copyOf, nodeCrypto, wipe } from "@pawl/protocol";
import { syncFolder } from "@pawl/protocol/driver";
import { type Credential, type CredentialJson, parseCredential, serializeCredential } from "./credential.ts";
import type { CredentialStore, StoredSecret } from "./credential-store.ts";
import {
  CredentialError,
  CredentialFormatError,
  CredentialMissingError,
  CredentialReadableError,
  CredentialStorageError,
} from "./errors.ts";
import { lockFile } from "./file-lock.ts";

/** Room for an epoch of ten digits where one stood. */
const SLACK_BYTES = 64;
/** A credential is a few hundred bytes; anything far larger is none. */
const MAX_BYTES = 64 << 10;

export interface CredentialFileOptions {
  /** Takes a file that others may read. */
  readonly allowReadable?: boolean;
}

/**
 * A credential file. Moved forward by a write to a temporary file in the same folder, fsync, rename, fsync of the
 * folder (section 4.5.1). A link is followed: it is the file behind it that moves.
 */
export function credentialFile(path: string, options: CredentialFileOptions = {}): CredentialStore {
  return new CredentialFile(path, options);
}

/** Writes a new credential file, mode 0600, durably. @throws CredentialStorageError where there is one already */
export async function writeCredentialFile(path: string, credential: Credential): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, "wx", 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === "EEXIST" ? "is there already; it is not overwritten" : message;
    throw new CredentialStorageError(path, what, { cause: error });
  }
  try {
    await handle.writeFile(serializeCredential(credential));
    await handle.sync();
    await syncFolder(dirname(path));
  } catch (error) {
    // Half a credential is none.
    await unlink(path).catch(() => {});
    throw new CredentialStorageError(path, (error as Error).message, { cause: error });
  } finally {
    await handle.close();
  }
}

class CredentialFile implements CredentialStore {
  readonly #given: string;
  readonly #allowReadable: boolean;
  #path: string;
  #release: (() => Promise<void>) | null = null;
  #temporary: FileHandle | null = null;
  /** A commit failed: what is on the disk may not be durable, and is written anew before it is used. */
  #uncertain = false;
  #closing: Promise<void> = Promise.resolve();

  constructor(path: string, { allowReadable = false }: CredentialFileOptions) {
    this.#given = path;
    this.#path = path;
    this.#allowReadable = allowReadable;
  }

  async load(): Promise<Credential> {
    try {
      if (this.#release === null) {
        this.#path = await realpath(this.#given);
        this.#release = await lockFile(this.#path);
      }
      await this.#dropTemporary();
      const { json, credential } = await this.#read();
      await syncFolder(dirname(this.#path));
      const text = serializeCredential(credential, json);
      await this.#prepare(Buffer.byteLength(text) + SLACK_BYTES);
      if (this.#uncertain) {
        await this.#replace(text);
        await this.#prepare(Buffer.byteLength(text) + SLACK_BYTES);
        this.#uncertain = false;
      }
      return credential;
    } catch (error) {
      await this.close();
      throw this.#explained(error);
    }
  }

  async commit(
    expected: StoredSecret,
    next: StoredSecret & { readonly last: Uint8Array },
  ): Promise<"done" | "lost"> {
    this.#uncertain = true;
    try {
      const { json, credential } = await this.#read();
      const same =
        credential.epoch === expected.epoch && nodeCrypto.equal(credential.secret, expected.secret);
      wipe(credential.secret);
      if (!same) return "lost";
      const moved = { ...credential, epoch: next.epoch, secret: next.secret, last: copyOf(next.last) };
      await this.#replace(serializeCredential(moved, json));
      this.#uncertain = false;
      return "done";
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Whoever calls it while it is under way waits as well: the next session needs the lock. */
  close(): Promise<void> {
    this.#closing = this.#closing.then(() => this.#letGo());
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    await this.#dropTemporary().catch(() => {});
    const release = this.#release;
    this.#release = null;
    await release?.();
  }

  get #temporaryPath(): string {
    // One fixed name: it opens all later epochs, so it has to be found and removed.
    return `${this.#path}.tmp`;
  }

  async #read(): Promise<{ json: CredentialJson; credential: Credential }> {
    const handle = await open(this.#path, constants.O_RDONLY);
    try {
      const { mode, size } = await handle.stat();
      if ((mode & 0o077) !== 0 && !this.#allowReadable && process.platform !== "win32") {
        throw new CredentialReadableError(
          this.#given,
          `others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 it, and think of its key as known to them`,
        );
      }
      if (size > MAX_BYTES) throw new CredentialFormatError(this.#given, "is no credential: far too large");
      const text = await handle.readFile("utf8");
      await handle.sync();
      return parseCredential(text, this.#given);
    } finally {
      await handle.close();
    }
  }

  /** Makes the temporary file and takes its room, before HELLO: a full disk shows here. */
  async #prepare(bytes: number): Promise<void> {
    this.#temporary = await open(this.#temporaryPath, "wx", 0o600);
    await this.#temporary.writeFile(Buffer.alloc(bytes, " "));
    await this.#temporary.sync();
  }

  async #replace(text: string): Promise<void> {
    const temporary = this.#temporary;
    if (temporary === null) throw new CredentialStorageError(this.#given, "was not loaded");
    const bytes = Buffer.from(text);
    try {
      await temporary.truncate(bytes.length);
      await writeAll(temporary, bytes);
      await temporary.sync();
      await rename(this.#temporaryPath, this.#path);
      this.#temporary = null;
      await temporary.close();
      await syncFolder(dirname(this.#path));
    } finally {
      bytes.fill(0);
    }
  }

  async #dropTemporary(): Promise<void> {
    const temporary = this.#temporary;
    this.#temporary = null;
    if (temporary !== null) await temporary.close();
    // Only who has the lock may remove it.
    if (this.#release !== null) {
      await unlink(this.#temporaryPath).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
  }

  #explained(error: unknown): Error {
    if (error instanceof CredentialError) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      return new CredentialMissingError(this.#given, "there is no such file; pawl keys add makes one", {
        cause: error,
      });
    }
    const hint =
      {
        ENOSPC: "the disk is full",
        EROFS: "the disk is read-only",
        EACCES: "no permission",
        EISDIR: "is a folder",
      }[code ?? ""] ?? message;
    return new CredentialStorageError(this.#given, `${hint}; nothing more was sent`, { cause: error });
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, at);
    at += bytesWritten;
  }
}
