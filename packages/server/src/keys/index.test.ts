import { KeyError, LocalError } from "@pawl/protocol";
import { expect, it } from "vitest";
import * as keys from "./index.ts";

it("is the public list", () => {
  expect(Object.keys(keys).sort()).toEqual([
    "AlreadyEnrolledError",
    "ClientCapError",
    "DB_KEY_BYTES",
    "MIN_PASSPHRASE",
    "MissingDbKeyError",
    "PskAlreadyImportedError",
    "StoreError",
    "UnknownClientError",
    "createClientSecret",
    "createDbKey",
    "createMemoryStore",
    "dbKeyId",
    "dbKeyIdOf",
    "headText",
    "openExport",
    "openSqliteRecords",
    "openSqliteStore",
    "parseDbKeys",
    "readDbKeyFile",
    "restoreSqliteStore",
    "sealExport",
    "writeDbKeyFile",
  ]);
});

it("has errors that are local, each with its own code", () => {
  const errors = [
    keys.AlreadyEnrolledError,
    keys.ClientCapError,
    keys.PskAlreadyImportedError,
    keys.StoreError,
  ];
  for (const error of errors) expect(error.prototype).toBeInstanceOf(LocalError);
  expect(new keys.ClientCapError(99, 2, 100)).toMatchObject({
    code: "PAWL_CLIENT_CAP",
    name: "ClientCapError",
  });
  expect(new keys.StoreError("x").code).not.toBe(new KeyError("x").code);
});

it("makes the secret of a new client of 32 random bytes", () => {
  expect(keys.createClientSecret()).toHaveLength(32);
  expect(keys.createClientSecret()).not.toEqual(keys.createClientSecret());
  expect(keys.createClientSecret((length) => new Uint8Array(length).fill(5))).toEqual(
    new Uint8Array(32).fill(5),
  );
});
