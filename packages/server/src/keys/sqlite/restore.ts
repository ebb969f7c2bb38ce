import { access, chmod, copyFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type ClientId, clientId, nodeCrypto, RESTORED_WINDOW, wipe } from "@pawl/protocol";
import { type Clock, type Random, syncFolder, systemClock, systemRandom } from "@pawl/protocol/driver";
import { type AuditEntry, type AuditKind, ChainWalk, entryOf } from "../audit.ts";
import { StoreError } from "../errors.ts";
import { Keyring } from "../wrapping.ts";
import { auditRows } from "./audit-log.ts";
import { openReader, openWriter } from "./connection.ts";
import { type Database, inTransaction } from "./driver.ts";
import { withStoreErrors } from "./driver-errors.ts";
import { makeDurableFile, prepareFile } from "./files.ts";
import { type Opener, readAuditKey, readIdentity } from "./identity.ts";
import { Reader } from "./reader.ts";
import { RestoreTarget, secretRows } from "./restore-target.ts";
import { pragma } from "./schema.ts";

export interface RestoreOptions {
  /** The key database to put back. Its servers are stopped. */
  readonly path: string;
  /** What `backup` made; it stays as it is. */
  readonly backup: string;
  /** The db keys of the database; those of the backup too, where it is older than the last `rewrap`. */
  readonly dbKeys?: () => Promise<readonly Uint8Array[]>;
  /** How far ahead of its record a client may have gone since; 4,096 unless given. */
  readonly window?: number;
  /** Brings clients back that were removed since the backup. Default: they stay removed. */
  readonly withRemoved?: boolean;
  readonly actor?: string;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface RestoreReport {
  /** Clients as the backup has them, each with a new generation and the wider window. */
  readonly restored: number;
  /** What was carried over from the database that it replaces; null: there was none, so nothing could be. */
  readonly carriedOver: {
    readonly revoked: readonly ClientId[];
    readonly reissued: readonly ClientId[];
    readonly removed: readonly ClientId[];
    readonly enrolled: readonly ClientId[];
  } | null;
}

/**
 * Puts a backup back (section 4.5.5). Where the database is still there it is kept, and changed in one transaction:
 * revocations, reissues, removals and enrolments since the backup stand, its audit log goes on. Where it is gone, the
 * backup takes its place, and what was done since is lost: the report says so.
 * @throws StoreError with what to do: in use, damaged, of another database, of another history
 */
export async function restoreSqliteStore(options: RestoreOptions): Promise<RestoreReport> {
  const { path, backup, dbKeys = async () => [], actor = "library" } = options;
  const { clock = systemClock, random = systemRandom } = options;
  const keys = await dbKeys();
  const keyring = new Keyring(keys);
  wipe(...keys);
  const now = Math.trunc(clock.now());
  const opener: Opener = { keyring, random, actor, now, service: null, encrypt: false };
  const [staged, fresh] = [`${path}.restoring`, `${path}.restored`];
  try {
    await rm(fresh, { force: true });
    await stage(backup, staged, opener);
    const work = { ...options, opener, staged, fresh, window: options.window ?? RESTORED_WINDOW };
    return (await isThere(path)) ? await mergeInto(path, work) : await putInPlace(path, work);
  } finally {
    keyring.wipe();
    for (const file of [fresh, staged, `${staged}-wal`, `${staged}-shm`]) await rm(file, { force: true });
  }
}

interface Work extends RestoreOptions {
  readonly opener: Opener;
  /** A copy of the backup, examined and of this version. */
  readonly staged: string;
  /** What becomes the database where there is none. */
  readonly fresh: string;
  readonly window: number;
}

/** Copies the backup beside the database, brings it to this version, and examines it. */
async function stage(backup: string, staged: string, opener: Opener): Promise<void> {
  await rm(staged, { force: true });
  try {
    await copyFile(backup, staged);
    await chmod(staged, 0o600);
  } catch (cause) {
    throw new StoreError(`backup ${backup} cannot be read: ${messageOf(cause)}`, { cause });
  }
  const named = (error: unknown) =>
    new StoreError(messageOf(error).replaceAll(staged, backup), { cause: error });
  try {
    (await openWriter(staged, false, opener)).close();
    const reader = new Reader(await openReader(staged), staged, opener.keyring, opener.random);
    const { problems } = reader.verify({});
    reader.close();
    if (problems[0] !== undefined) throw new StoreError(`backup ${backup} is not sound: ${problems[0]}`);
  } catch (error) {
    throw named(error);
  }
}

/** There is no database: the backup becomes it. */
async function putInPlace(path: string, { opener, staged, fresh, window }: Work): Promise<RestoreReport> {
  const db = await openWriter(staged, false, opener);
  let restored = 0;
  try {
    withStoreErrors(staged, () =>
      inTransaction(db, () => {
        const target = new RestoreTarget(db, opener, window);
        for (const row of secretRows(db)) {
          target.put(row, true);
          restored++;
        }
        target.finish({ restored, carriedOver: false });
      }),
    );
    // A file that no connection of this process has open, and without a log beside it.
    await makeDurableFile(fresh, async (part) => {
      withStoreErrors(part, () => db.prepare("VACUUM INTO ?").run(part));
    });
  } finally {
    db.close();
  }
  // What a database that is gone left of its log would be taken for this one's.
  for (const file of [`${path}-wal`, `${path}-shm`]) await rm(file, { force: true });
  await rename(fresh, path);
  await syncFolder(dirname(path));
  return { restored, carriedOver: null };
}

/** The database is there: it takes from the backup what was not changed since. */
async function mergeInto(path: string, work: Work): Promise<RestoreReport> {
  const { opener, staged, backup, window, withRemoved = false } = work;
  await prepareFile(path, false);
  const db = await openWriter(path, false, opener, { exclusive: true });
  try {
    const source = await openReader(staged);
    try {
      const since = historySince(db, source, opener, backup);
      return withStoreErrors(path, () => {
        const report = inTransaction(db, () => merge(db, source, { since, opener, window, withRemoved }));
        // The secrets that were replaced must not stay in the write-ahead log.
        pragma(db, "wal_checkpoint(TRUNCATE)");
        return report;
      });
    } finally {
      source.close();
    }
  } finally {
    db.close();
  }
}

/** What the audit log has of each client since the backup was made. @throws StoreError where it is another history */
function historySince(
  db: Database,
  source: Database,
  { keyring }: Opener,
  backup: string,
): Map<ClientId, AuditEntry[]> {
  const [own, theirs] = [readIdentity(db), readIdentity(source)];
  if (!nodeCrypto.equal(own.storeId, theirs.storeId)) {
    throw new StoreError(`backup ${backup} is of another key database; nothing was changed`);
  }
  const head = [...auditRows(source, 0, null)].at(-1);
  const auditKey = readAuditKey(db, keyring);
  const walk = new ChainWalk(auditKey, own.storeId);
  const since = new Map<ClientId, AuditEntry[]>();
  let broken: string | null = null;
  let met = head === undefined;
  for (const row of auditRows(db, 0, null)) {
    broken ??= walk.step(row);
    const entry = entryOf(row);
    if (met && entry.clientId !== null) {
      since.set(entry.clientId, [...(since.get(entry.clientId) ?? []), entry]);
    }
    if (row.seq === head?.seq && nodeCrypto.equal(row.mac, head.mac)) met = true;
  }
  wipe(auditKey);
  if (broken !== null || !met) {
    const why = broken ?? "the backup is not of the history that its audit log has";
    throw new StoreError(
      `what was revoked or reissued since the backup cannot be carried over: ${why}. Nothing was changed; ` +
        "to restore without it, move the key database away first and revoke again what has to be",
    );
  }
  return since;
}

/** What of the log makes the record of the database stand against the backup's. */
const STANDS: ReadonlySet<AuditKind> = new Set(["revoked", "reissued", "removed", "enrolled", "imported"]);

interface Merge {
  readonly since: ReadonlyMap<ClientId, readonly AuditEntry[]>;
  readonly opener: Opener;
  readonly window: number;
  readonly withRemoved: boolean;
}

function merge(db: Database, source: Database, { since, opener, window, withRemoved }: Merge): RestoreReport {
  const target = new RestoreTarget(db, opener, window);
  const carriedOver = {
    revoked: [] as ClientId[],
    reissued: [] as ClientId[],
    removed: [] as ClientId[],
    enrolled: [] as ClientId[],
  };
  let restored = 0;
  const inBackup = new Set<number>();
  for (const row of secretRows(source)) {
    const id = clientId(row.client_id);
    inBackup.add(id);
    const last = since.get(id)?.findLast((entry) => STANDS.has(entry.kind))?.kind;
    if (last === "removed" && withRemoved) {
      target.put(row, false);
      restored++;
    } else if (last === undefined) {
      target.put(row, target.has(id));
      restored++;
    } else if (last === "removed") carriedOver.removed.push(id);
    else if (last === "revoked") carriedOver.revoked.push(id);
    else carriedOver.reissued.push(id);
  }
  for (const id of target.ids()) if (!inBackup.has(id)) carriedOver.enrolled.push(clientId(id));
  for (const row of source.prepare("SELECT check_value, client_id, imported FROM import_checks").all()) {
    const { check_value, client_id, imported } = row as ImportCheckRow;
    target.importCheck(check_value, client_id, imported);
  }
  target.finish({ restored, carriedOver: true });
  return { restored, carriedOver };
}

interface ImportCheckRow {
  readonly check_value: Uint8Array;
  readonly client_id: number;
  readonly imported: number;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
