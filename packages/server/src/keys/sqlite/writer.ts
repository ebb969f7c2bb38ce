import { type ClientId, DEFAULT_WINDOW, wipe } from "@pawl/protocol";
import type { Random } from "@pawl/protocol/driver";
import { addAlarm } from "../alarm.ts";
import type { AuditDetails, AuditKind } from "../audit.ts";
import type { CommitOperation } from "../packed-commits.ts";
import { generationBytes, generationFrom } from "../stored-client.ts";
import { type Keyring, MissingDbKeyError } from "../wrapping.ts";
import { AuditLog } from "./audit-log.ts";
import { apply, WRITER_BUSY_MS } from "./connection.ts";
import { type Database, inTransaction } from "./driver.ts";
import { withStoreErrors } from "./driver-errors.ts";
import { Enroller } from "./enroller.ts";
import { readAuditKey, readIdentity, rewrappedEvent, useDbKey } from "./identity.ts";
import {
  type AlarmOperation,
  DONE,
  done,
  type Operation,
  type OperationResult,
  type RewrapOperation,
  secretsOf,
} from "./messages.ts";
import { type AlarmRow, type InfoRow, type SecretRow, tallyFromRow } from "./rows.ts";
import { pragma } from "./schema.ts";
import { SecretColumns } from "./secret-columns.ts";
import { SecretSlots } from "./secret-slots.ts";
import { isOne, prepareWriter } from "./writer-sql.ts";

/** A checkpoint gives up at once rather than keep commits waiting for a reader; it is tried again. */
const CHECKPOINT_BUSY_MS = 50;

export interface WriterOptions {
  readonly keyring: Keyring;
  readonly random: Random;
  readonly actor: string;
}

/** All that is ever written to a key database. Synchronous: it lives in a thread of its own. */
export class Writer {
  readonly #db: Database;
  readonly #path: string;
  readonly #random: Random;
  readonly #sql: ReturnType<typeof prepareWriter>;
  readonly #log: AuditLog;
  readonly #columns: SecretColumns;
  readonly #slots: SecretSlots;
  readonly #enroller: Enroller;
  /** The db key of the transaction that is open. */
  #wrap: string | null = null;

  /** Takes over a connection of `openWriter`. */
  constructor(db: Database, path: string, { keyring, random, actor }: WriterOptions) {
    this.#db = db;
    this.#path = path;
    this.#random = random;
    const [sql, slots, log, columns] = withStoreErrors(path, () => {
      const { storeId, service } = readIdentity(db);
      return [
        prepareWriter(db),
        new SecretSlots(db),
        new AuditLog(db, readAuditKey(db, keyring), storeId, actor),
        new SecretColumns(service, keyring, random),
      ] as const;
    });
    this.#sql = sql;
    this.#log = log;
    this.#columns = columns;
    this.#slots = slots;
    this.#enroller = new Enroller(sql, slots, log, columns);
  }

  /** The database has moved to another db key. */
  useKeyring(keyring: Keyring): void {
    this.#columns.keyring = keyring;
  }

  /**
   * Carries out all of `operations` in one transaction and returns when it is durable, so that they share one sync.
   * Overwrites their secrets, but for a MissingDbKeyError, after which they may be tried again with that key.
   * @throws StoreError: unless COMMIT itself failed, nothing was written.
   */
  write(operations: readonly Operation[]): OperationResult[] {
    let again = false;
    try {
      return withStoreErrors(this.#path, () =>
        inTransaction(this.#db, () => {
          this.#begin();
          return operations.map((one) => this.#apply(one));
        }),
      );
    } catch (error) {
      again = error instanceof MissingDbKeyError;
      throw error;
    } finally {
      if (!again) for (const operation of operations) wipe(...secretsOf(operation));
    }
  }

  /** A number that changes when another connection has written. @throws StoreError */
  version(): number {
    return withStoreErrors(this.#path, () => Number(pragma(this.#db, "data_version")));
  }

  /**
   * Moves the log into the database and cuts it, since it still holds the secrets that were replaced. False: a reader
   * was in the way, try again later. @throws StoreError
   */
  checkpoint(): boolean {
    return withStoreErrors(this.#path, () => {
      this.#setBusyTimeout(CHECKPOINT_BUSY_MS);
      try {
        return pragma(this.#db, "wal_checkpoint(TRUNCATE)") === 0;
      } finally {
        this.#setBusyTimeout(WRITER_BUSY_MS);
      }
    });
  }

  /** A consistent copy, without free pages, into the file `path`, which is empty. @throws StoreError */
  copyTo(path: string): void {
    withStoreErrors(path, () => this.#db.prepare("VACUUM INTO ?").run(path));
  }

  close(): void {
    this.#db.close();
  }

  #begin(): void {
    this.#log.begin();
    const { wrap } = this.#sql.wrap.get() as { readonly wrap: string | null };
    if (wrap !== null && !this.#columns.keyring.has(wrap)) this.#columns.keyring.get(wrap);
    this.#wrap = wrap;
  }

  #apply(operation: Operation): OperationResult {
    switch (operation.kind) {
      case "commit":
        return this.#commit(operation);
      case "add":
        return this.#enroller.add(operation, this.#wrap);
      case "import":
        return this.#enroller.import(operation, this.#wrap);
      case "revoke": {
        const { clientId: id, generation, reason, at } = operation;
        const changed = isOne(this.#sql.revoke.run(generation, at, reason, id));
        return this.#changed(changed, "revoked", id, { reason }, at);
      }
      case "reissue": {
        const { clientId: id, generation, secret, at, reason } = operation;
        const suite = this.#info(id)?.suite;
        if (suite === undefined) return { result: "unknown-client" };
        const changed = isOne(this.#sql.reissue.run(generation, this.#wrap, DEFAULT_WINDOW, at, id));
        this.#slots.replace(id, this.#columns.seal(this.#wrap, { client_id: id, suite, epoch: 0 }, secret));
        this.#sql.forgetAlarms.run(id);
        return this.#changed(changed, "reissued", id, { reason }, at);
      }
      case "remove": {
        const { clientId: id, reason, at } = operation;
        this.#slots.free(id);
        if (!isOne(this.#sql.remove.run(id))) return { result: "unknown-client" };
        this.#sql.forgetAlarms.run(id);
        this.#log.append({ kind: "removed", clientId: id, generation: null, details: { reason } }, at);
        return DONE;
      }
      case "rename": {
        const { clientId: id, label, at } = operation;
        return this.#changed(isOne(this.#sql.rename.run(label, id)), "renamed", id, { label }, at);
      }
      case "alarm":
        return this.#alarm(operation);
      case "note": {
        const { event, at } = operation;
        this.#log.append({ kind: event, clientId: null, generation: null, details: operation.details }, at);
        return DONE;
      }
      case "use-key": {
        const { to, at } = operation;
        const from = useDbKey(this.#db, this.#columns.keyring, to, this.#random);
        this.#wrap = to;
        this.#log.append(rewrappedEvent(from, to), at);
        return DONE;
      }
      case "rewrap":
        return this.#rewrap(operation);
      case "probe":
        this.#sql.probe.run();
        return DONE;
      default:
        return operation satisfies never;
    }
  }

  /** The compare-and-set of section 4.5.4. */
  #commit(operation: CommitOperation): OperationResult {
    const { clientId: id, expected: before, next, accepted, at } = operation;
    const { epoch, secret } = next;
    const moved = [epoch, this.#wrap, at] as const;
    const expected = [id, generationBytes(before.generation), before.epoch] as const;
    const row = (
      accepted === null
        ? this.#sql.catchUp.get(...moved, ...expected)
        : this.#sql.firstPacket.get(...moved, accepted.epoch, accepted.t, at, DEFAULT_WINDOW, ...expected)
    ) as { readonly suite: number; readonly slot: number } | undefined;
    if (row === undefined) return { result: "lost" };
    const { suite, slot } = row;
    this.#slots.put(slot, this.#columns.seal(this.#wrap, { client_id: id, suite, epoch }, secret));
    return DONE;
  }

  #alarm({ alarm }: AlarmOperation): OperationResult {
    const client = this.#info(alarm.clientId);
    if (client === undefined) return DONE;
    const row = this.#sql.tally.get(alarm.clientId, alarm.kind) as AlarmRow | undefined;
    const { tally, event } = addAlarm(row === undefined ? null : tallyFromRow(row), alarm);
    const { kind, count, firstAt, lastAt, remoteAddress, epoch, stored, loggedAt } = tally;
    this.#sql.putTally.run(
      ...[alarm.clientId, kind, count, firstAt, lastAt, remoteAddress, epoch, stored, loggedAt],
    );
    if (event !== null) {
      const generation = generationFrom(client.generation);
      this.#log.append({ ...event, clientId: alarm.clientId, generation }, alarm.at);
    }
    return DONE;
  }

  /** A page of rows that are wrapped under other keys. */
  #rewrap({ to, limit }: RewrapOperation): OperationResult {
    const rows = this.#sql.wrappedOtherwise.all(to, limit) as SecretRow[];
    for (const row of rows) {
      const secret = this.#columns.open(row);
      this.#slots.replace(row.client_id, this.#columns.seal(to, row, secret));
      this.#sql.wrapped.run(to, row.client_id);
      wipe(secret);
    }
    return { result: "rewrapped", rows: rows.length };
  }

  /** The row as the operation left it, and an entry of the log. */
  #changed(
    changed: boolean,
    kind: AuditKind,
    id: ClientId,
    details: AuditDetails,
    at: number,
  ): OperationResult {
    const row = changed ? this.#info(id) : undefined;
    if (row === undefined) return { result: "unknown-client" };
    this.#log.append({ kind, clientId: id, generation: generationFrom(row.generation), details }, at);
    return done([row]);
  }

  #info(id: number): InfoRow | undefined {
    const row = this.#sql.info.get(id) as InfoRow | undefined;
    // The driver's rows have no prototype.
    return row === undefined ? undefined : { ...row };
  }

  #setBusyTimeout(ms: number): void {
    apply(this.#db, this.#path, [["busy_timeout", String(ms), ms]]);
  }
}
