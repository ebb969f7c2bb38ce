import { clientId, epoch, STRICT_GCM } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { expect, it } from "vitest";
import { StoreError } from "../errors.ts";
import { secretOf } from "../testing/fixtures.ts";
import { Keyring } from "../wrapping.ts";
import { clientFromRow, infoFromRow, type SecretRow } from "./rows.ts";
import { SecretColumns } from "./secret-columns.ts";
import { cellOf } from "./secret-slots.ts";

const row: SecretRow = {
  client_id: 7,
  suite: 3,
  generation: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0),
  epoch: 4,
  accepted_epoch: 3,
  accepted_t: new Uint8Array(16).fill(9),
  hello_window: 64,
  label: "boiler",
  created: 1,
  moved: 2,
  last_seen: 2,
  revoked_at: 3,
  revoked_reason: "lost",
  secret: cellOf(secretOf(7)),
  wrap: null,
};

const columns = new SecretColumns("pawl", new Keyring([]), systemRandom);

it("reads a row as what it says", () => {
  expect(clientFromRow({ ...row, secret: cellOf(secretOf(7)) }, columns)).toEqual({
    clientId: clientId(7),
    suite: STRICT_GCM,
    generation: 256n,
    epoch: epoch(4),
    window: 64,
    accepted: { epoch: epoch(3), t: new Uint8Array(16).fill(9) },
    label: "boiler",
    created: 1,
    moved: 2,
    lastSeen: 2,
    revoked: { at: 3, reason: "lost" },
    secret: secretOf(7),
  });
  expect(infoFromRow(row)).not.toHaveProperty("secret");
});

it("reads what is not set as null", () => {
  const bare = { ...row, accepted_epoch: null, accepted_t: null, last_seen: null, label: null };
  expect(infoFromRow({ ...bare, revoked_at: null, revoked_reason: null })).toMatchObject({
    accepted: null,
    lastSeen: null,
    label: null,
    revoked: null,
  });
});

it("refuses a suite that it does not know and a secret that it cannot unwrap", () => {
  expect(() => infoFromRow({ ...row, suite: 200 })).toThrow(StoreError);
  expect(() => clientFromRow({ ...row, wrap: "0011223344556677" }, columns)).toThrow(
    /encrypted under db key 0011223344556677, and none was given/,
  );
});
