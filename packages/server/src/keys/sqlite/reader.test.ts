import { clientId } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { expect, it, vi } from "vitest";
import { commitFrom, newClient, secretOf } from "../testing/fixtures.ts";
import { Keyring } from "../wrapping.ts";
import { openReader } from "./connection.ts";
import { openSqliteStore } from "./open.ts";
import { Reader } from "./reader.ts";
import { SecretColumns } from "./secret-columns.ts";
import { newFolder, rawConnection } from "./testing/stores.ts";

it("reads what is stored now, page by page, each secret in a buffer of its own", async () => {
  const folder = await newFolder();
  const store = await openSqliteStore({ path: folder.path, create: true });
  const [first] = await store.add(Array.from({ length: 300 }, (_, n) => newClient(n + 1)));
  const reader = new Reader(await openReader(folder.path), folder.path, new Keyring([]), systemRandom);

  expect(reader.count()).toBe(300);
  expect([...reader.ids()]).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
  expect([...reader.statePages()].map((page) => page.length)).toEqual([256, 44]);
  expect(reader.page(0)).toHaveLength(256);
  expect(reader.page(256).map((info) => info.clientId)).toEqual(
    Array.from({ length: 44 }, (_, n) => 257 + n),
  );
  expect(reader.page(300)).toEqual([]);

  const id = clientId(1);
  const state = { generation: first?.generation, revoked: false };
  expect(reader.state(id)).toEqual({ ...state, epoch: 0 });
  if (first !== undefined) await store.commit(commitFrom(first));
  expect(reader.state(id)).toEqual({ ...state, epoch: 1 });
  expect(reader.info(id)).toEqual(await store.get(id));
  reader.client(id)?.secret.fill(0);
  expect(reader.client(id)?.secret).toEqual(secretOf(1));
  reader.record(id)?.secret.fill(0);
  expect(reader.record(id)?.secret).toEqual(secretOf(1));
  for (const read of [
    reader.client(clientId(999)),
    reader.record(clientId(999)),
    reader.info(clientId(999)),
    reader.state(clientId(999)),
  ]) {
    expect(read).toBeNull();
  }

  reader.close();
  await store.close();
  await folder.cleanup();
});

it("fails with a StoreError", async () => {
  const folder = await newFolder();
  const store = await openSqliteStore({ path: folder.path, create: true });
  const db = await rawConnection(folder.path);
  db.exec("ALTER TABLE clients RENAME TO elsewhere");
  db.close();
  await expect(store.lookUp(clientId(1))).rejects.toMatchObject({ code: "PAWL_STORE" });
  await store.close();
  await folder.cleanup();
});

it("opens as many secrets for a client that there is not, where there are any", async () => {
  const folder = await newFolder();
  const store = await openSqliteStore({ path: folder.path, create: true });
  const reader = new Reader(await openReader(folder.path), folder.path, new Keyring([]), systemRandom);
  const open = vi.spyOn(SecretColumns.prototype, "open");
  const opened = (id: number) => {
    open.mockClear();
    const record = reader.record(clientId(id));
    return { found: record !== null, opened: open.mock.calls.length };
  };
  expect(opened(999)).toEqual({ found: false, opened: 0 });
  await store.add([newClient(7)]);
  expect(opened(7)).toEqual({ found: true, opened: 1 });
  expect(opened(999)).toEqual({ found: false, opened: 1 });
  // A row that does not open is not the fault of who asks for another.
  open.mockImplementation(() => {
    throw new Error("altered");
  });
  expect(opened(999)).toEqual({ found: false, opened: 1 });
  open.mockRestore();

  reader.close();
  await store.close();
  await folder.cleanup();
});
