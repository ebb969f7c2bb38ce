import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CredentialStore, credentialFile, parseCredential, writeCredentialFile } from "@pawl/client";
import { type ClientId, type Epoch, LAST_BYTES, type Suite } from "@pawl/protocol";
import { openSqliteStore, type SqliteStore } from "@pawl/server/keys";
import { Victim } from "./victim.ts";
import type { World } from "./world.ts";

const DATABASE = "keys.db";

/** A folder with a server's key database and its clients' files, to be copied and put back as files are. */
export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), "pawl-lab-")));
  }

  /** The key database; made where there is none. Whoever opens it closes it. */
  openDatabase(): Promise<SqliteStore> {
    return openSqliteStore({ path: join(this.path, DATABASE), create: true });
  }

  /** A copy of all files, as they are now. */
  async copy(): Promise<Folder> {
    const copy = await Folder.make();
    // A lock is of who holds it, and may be gone by the time.
    const names = (await readdir(this.path)).filter((name) => !name.endsWith(".lock"));
    for (const name of names) await copyFile(join(this.path, name), join(copy.path, name));
    return copy;
  }

  /** Files of the key database in place of those that are here; it must be closed. */
  async putBackDatabase(from: Folder): Promise<void> {
    for (const name of await this.#databaseFiles()) await rm(join(this.path, name));
    for (const name of await from.#databaseFiles())
      await copyFile(join(from.path, name), join(this.path, name));
  }

  /** A client's file in place of the one that is here. */
  async putBackCredential(clientId: ClientId, from: Folder): Promise<void> {
    await copyFile(from.credentialPath(clientId), this.credentialPath(clientId));
  }

  credentialPath(clientId: ClientId): string {
    return join(this.path, `client-${clientId}.pawl`);
  }

  credential(clientId: ClientId): CredentialStore {
    return credentialFile(this.credentialPath(clientId));
  }

  /** Writes the file of a client that has been issued a secret. */
  async issue(suite: Suite, clientId: ClientId, secret: Uint8Array): Promise<void> {
    const last = new Uint8Array(LAST_BYTES);
    const path = this.credentialPath(clientId);
    await rm(path, { force: true });
    await writeCredentialFile(path, { suite, clientId, epoch: 0 as Epoch, secret, last });
  }

  /** What is in a client's file. */
  async secretOf(clientId: ClientId): Promise<{ readonly epoch: Epoch; readonly secret: Uint8Array }> {
    return parseCredential(await readFile(this.credentialPath(clientId), "utf8"), null).credential;
  }

  /** Every byte of the database's files and of the clients'. */
  async bytes(): Promise<Uint8Array[]> {
    const names = await readdir(this.path);
    return Promise.all(names.map((name) => readFile(join(this.path, name))));
  }

  async remove(): Promise<void> {
    // A client may be about to let go of its file.
    await rm(this.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }

  async #databaseFiles(): Promise<string[]> {
    return (await readdir(this.path)).filter((name) => name.startsWith(DATABASE));
  }
}

/** A new client of this world whose credential is a file in `folder`. */
export async function victimWithFile(world: World, folder: Folder): Promise<Victim> {
  const [enrolled] = await world.enrol(1);
  const record = enrolled === undefined ? null : await world.keys.lookUp(enrolled.clientId);
  if (enrolled === undefined || record === null) throw new Error("no client could be enrolled");
  await folder.issue(world.suite, enrolled.clientId, record.secret);
  return new Victim({ ...enrolled, store: folder.credential(enrolled.clientId) });
}
