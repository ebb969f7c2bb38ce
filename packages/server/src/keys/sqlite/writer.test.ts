import { clientId, epoch } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generationFrom } from "../stored-client.ts";
import { acceptedAt, secretOf } from "../testing/fixtures.ts";
import { openWriter } from "./connection.ts";
import type { Database } from "./driver.ts";
import type { AddedClient, Operation } from "./messages.ts";
import { cellOf } from "./secret-slots.ts";
import { type Folder, newFolder, plainOpener, rawConnection } from "./testing/stores.ts";
import { Writer } from "./writer.ts";

let folder: Folder;
let db: Database;
let other: Database;
let writer: Writer;
beforeEach(async () => {
  folder = await newFolder();
  db = await openWriter(folder.path, true, plainOpener());
  other = await rawConnection(folder.path);
  writer = new Writer(db, folder.path, plainOpener());
});
afterEach(async () => {
  other.close();
  writer.close();
  await folder.cleanup();
});

const GENERATION = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function added(id: number): AddedClient {
  const secret = secretOf(id);
  return { clientId: clientId(id), suite: 2, generation: GENERATION, secret, label: null, importCheck: null };
}

function add(...ids: number[]): Operation {
  return { kind: "add", clients: ids.map(added), maxClients: null, at: 1 };
}

function commit(id: number, from: number): Extract<Operation, { kind: "commit" }> {
  return {
    kind: "commit",
    clientId: clientId(id),
    expected: { generation: generationFrom(GENERATION), epoch: epoch(from) },
    next: { epoch: epoch(from + 1), secret: secretOf(from + 1) },
    accepted: acceptedAt(from),
    at: 2,
  };
}

describe("write", () => {
  it("carries out a batch in order and answers each", () => {
    const results = writer.write([
      add(1),
      commit(1, 0),
      commit(1, 0),
      add(2, 1),
      { kind: "rename", clientId: clientId(1), label: "x", at: 2 },
      commit(1, 1),
      { kind: "remove", clientId: clientId(2), reason: null, at: 2 },
    ]);
    expect(results).toMatchObject([
      { result: "done", rows: [{ client_id: 1, epoch: 0, suite: 2 }] },
      { result: "done", rows: [] },
      { result: "lost" },
      { result: "already-enrolled", clientId: 1 },
      { result: "done", rows: [{ label: "x", epoch: 1 }] },
      { result: "done" },
      { result: "unknown-client" },
    ]);
    expect(results[0]).not.toHaveProperty("rows.0.secret");
    expect(other.prepare("SELECT epoch, secret FROM clients JOIN secrets USING (slot)").all()).toMatchObject([
      { epoch: 2, secret: cellOf(secretOf(2)) },
    ]);
  });

  it("refuses what may not be added, and keeps the rest of the batch", () => {
    const check = new Uint8Array(32).fill(1);
    const withCheck = (id: number): AddedClient => ({ ...added(id), importCheck: check });
    const results = writer.write([
      { kind: "add", clients: [withCheck(1)], maxClients: 1, at: 1 },
      { kind: "add", clients: [withCheck(2)], maxClients: null, at: 1 },
      { kind: "add", clients: [added(3), added(3)], maxClients: null, at: 1 },
      { kind: "add", clients: [added(4), added(5)], maxClients: 2, at: 1 },
      { kind: "revoke", clientId: clientId(1), generation: new Uint8Array(8), reason: "x", at: 3 },
      {
        kind: "reissue",
        clientId: clientId(1),
        generation: GENERATION,
        secret: secretOf(9),
        reason: null,
        at: 4,
      },
      commit(1, 0),
      {
        kind: "reissue",
        clientId: clientId(9),
        generation: GENERATION,
        secret: secretOf(9),
        reason: null,
        at: 4,
      },
    ]);
    expect(results).toMatchObject([
      { result: "done" },
      { result: "already-imported", clientId: 2 },
      { result: "already-enrolled", clientId: 3 },
      { result: "cap", enrolled: 1, wanted: 2, cap: 2 },
      { result: "done", rows: [{ revoked_at: 3, revoked_reason: "x" }] },
      { result: "done", rows: [{ revoked_at: null, generation: GENERATION }] },
      { result: "done" },
      { result: "unknown-client" },
    ]);
    expect(other.prepare("SELECT client_id FROM clients").all()).toHaveLength(1);
  });

  it("overwrites the secrets that it took over, of a batch that failed too", () => {
    const good = commit(1, 0);
    writer.write([add(1), good]);
    expect(good.next.secret).toEqual(new Uint8Array(32));
    const bad = [commit(1, 1), { ...commit(1, 2), at: 0.5 }];
    expect(() => writer.write(bad)).toThrow(expect.objectContaining({ code: "PAWL_STORE" }));
    for (const { next } of bad) expect(next.secret).toEqual(new Uint8Array(32));
  });

  it("writes nothing of a batch that failed, and goes on with the next", () => {
    writer.write([add(1)]);
    other.exec("CREATE TRIGGER t BEFORE UPDATE OF label ON clients BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
    const rename: Operation = { kind: "rename", clientId: clientId(1), label: "x", at: 2 };
    expect(() => writer.write([commit(1, 0), rename])).toThrow(/failed \(no\)/);
    expect(other.prepare("SELECT epoch FROM clients").all()).toMatchObject([{ epoch: 0 }]);
    expect(writer.write([commit(1, 0)])).toMatchObject([{ result: "done" }]);
  });
});

describe("checkpoint", () => {
  it("gives up soon while a reader is in the way, and keeps the writer's patience", () => {
    writer.write([add(1)]);
    other.exec("BEGIN; SELECT * FROM clients");
    writer.write([commit(1, 0)]);
    const start = performance.now();
    expect(writer.checkpoint()).toBe(false);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(db.prepare("PRAGMA busy_timeout").get()).toMatchObject({ timeout: 5_000 });
    other.exec("COMMIT");
    expect(writer.checkpoint()).toBe(true);
  });
});

describe("version", () => {
  it("moves when another connection writes, not when this one does", () => {
    const before = writer.version();
    writer.write([add(1)]);
    writer.checkpoint();
    expect(writer.version()).toBe(before);
    other.exec("UPDATE clients SET label = 'x'");
    expect(writer.version()).not.toBe(before);
  });
});
