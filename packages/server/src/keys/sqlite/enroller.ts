import { type ClientId, clientId, DEFAULT_WINDOW, RESTORED_WINDOW, suiteById } from "@pawl/protocol";
import { enrolmentOf, stateOf } from "../audit.ts";
import { generationFrom } from "../stored-client.ts";
import type { AuditLog } from "./audit-log.ts";
import { type AddOperation, done, type ImportOperation, type OperationResult } from "./messages.ts";
import { type InfoRow, infoFromRow } from "./rows.ts";
import type { SecretColumns } from "./secret-columns.ts";
import type { SecretSlots } from "./secret-slots.ts";
import type { prepareWriter } from "./writer-sql.ts";

/** Puts clients into the database, each with its entry of the audit log, within the writer's transaction. */
export class Enroller {
  readonly #sql: ReturnType<typeof prepareWriter>;
  readonly #slots: SecretSlots;
  readonly #log: AuditLog;
  readonly #columns: SecretColumns;

  constructor(
    sql: ReturnType<typeof prepareWriter>,
    slots: SecretSlots,
    log: AuditLog,
    columns: SecretColumns,
  ) {
    this.#sql = sql;
    this.#slots = slots;
    this.#log = log;
    this.#columns = columns;
  }

  /** Checks all before it writes any: the other operations of the transaction must stand. */
  add({ clients, maxClients, at }: AddOperation, wrap: string | null): OperationResult {
    const refused = this.#refusal(clients, maxClients);
    if (refused !== null) return refused;
    for (const { clientId: id, suite, generation, secret, label, importCheck } of clients) {
      const slot = this.#slots.add(this.#columns.seal(wrap, { client_id: id, suite, epoch: 0 }, secret));
      this.#sql.insert.run(id, suite, generation, slot, wrap, DEFAULT_WINDOW, label, at, at);
      if (importCheck !== null) this.#sql.import.run(importCheck, id, at);
      const details = enrolmentOf(suiteById(suite)?.name ?? String(suite), label);
      this.#log.append(
        { kind: "enrolled", clientId: id, generation: generationFrom(generation), details },
        at,
      );
    }
    return done(clients.flatMap((client) => this.#info(client.clientId) ?? []));
  }

  /** As they were exported, but for generation and window. */
  import({ clients, maxClients, at }: ImportOperation, wrap: string | null): OperationResult {
    const refused = this.#refusal(clients, maxClients);
    if (refused !== null) return refused;
    for (const { clientId: id, suite, epoch, generation, secret, ...more } of clients) {
      const { accepted, label, created, moved, lastSeen, revoked } = more;
      const slot = this.#slots.add(this.#columns.seal(wrap, { client_id: id, suite, epoch }, secret));
      this.#sql.insertWhole.run(
        ...[id, suite, generation, epoch, slot, wrap, accepted?.epoch ?? null, accepted?.t ?? null],
        ...[RESTORED_WINDOW, label, created, moved, lastSeen, revoked?.at ?? null, revoked?.reason ?? null],
      );
      this.#stateNoted("imported", id, at);
    }
    return done(clients.flatMap((client) => this.#info(client.clientId) ?? []));
  }

  /** Why clients cannot be enrolled: an id or a pre-shared key that is taken, the cap. */
  #refusal(
    clients: readonly { readonly clientId: ClientId; readonly importCheck?: Uint8Array | null }[],
    maxClients: number | null,
  ): OperationResult | null {
    const seen = new Set<number>();
    for (const { clientId: id } of clients) {
      if (seen.has(id) || this.#info(id) !== undefined) return { result: "already-enrolled", clientId: id };
      seen.add(id);
    }
    const imports = new Set<string>();
    for (const { clientId: id, importCheck } of clients) {
      if (importCheck == null) continue;
      const key = importCheck.toString();
      if (imports.has(key) || this.#sql.imported.get(importCheck) !== undefined) {
        return { result: "already-imported", clientId: id };
      }
      imports.add(key);
    }
    if (maxClients !== null && clients.length > 0) {
      const { n: enrolled } = this.#sql.count.get() as { readonly n: number };
      const wanted = clients.length;
      if (enrolled + wanted > maxClients) return { result: "cap", enrolled, wanted, cap: maxClients };
    }
    return null;
  }

  #stateNoted(kind: "imported", id: ClientId, at: number): void {
    const row = this.#info(id);
    if (row === undefined) return;
    const client = infoFromRow(row);
    const details = stateOf(client);
    this.#log.append({ kind, clientId: clientId(id), generation: client.generation, details }, at);
  }

  #info(id: number): InfoRow | undefined {
    const row = this.#sql.info.get(id) as InfoRow | undefined;
    // The driver's rows have no prototype.
    return row === undefined ? undefined : { ...row };
  }
}
