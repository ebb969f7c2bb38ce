import type { Database, Statement } from "./driver.ts";
import { ALARM_COLUMNS, INFO_COLUMNS, SECRET_COLUMNS } from "./rows.ts";

/** What the writer says to the database, prepared once. */
export function prepareWriter(db: Database) {
  const compare = "client_id = ? AND generation = ? AND epoch = ? AND revoked_at IS NULL";
  const moved = "epoch = ?, wrap = ?, moved = ?";
  // What the new secret is stored with and where: a statement of its own would cost as much as the move.
  const where = "RETURNING suite, slot";
  const notAccepted = "accepted_epoch = NULL, accepted_t = NULL";
  return {
    wrap: db.prepare("SELECT wrap FROM store"),
    catchUp: db.prepare(`UPDATE clients SET ${moved} WHERE ${compare} ${where}`),
    firstPacket: db.prepare(
      `UPDATE clients SET ${moved}, accepted_epoch = ?, accepted_t = ?, last_seen = ?, hello_window = ?
         WHERE ${compare} ${where}`,
    ),
    insert: db.prepare(
      `INSERT INTO clients (client_id, suite, generation, epoch, slot, wrap, hello_window, label, created, moved)
         VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?)`,
    ),
    insertWhole: db.prepare(
      `INSERT INTO clients (client_id, suite, generation, epoch, slot, wrap, accepted_epoch, accepted_t,
         hello_window, label, created, moved, last_seen, revoked_at, revoked_reason)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    import: db.prepare("INSERT INTO import_checks (check_value, client_id, imported) VALUES (?, ?, ?)"),
    imported: db.prepare("SELECT 1 FROM import_checks WHERE check_value = ?"),
    count: db.prepare("SELECT count(*) AS n FROM clients"),
    info: db.prepare(`SELECT ${INFO_COLUMNS} FROM clients WHERE client_id = ?`),
    revoke: db.prepare(
      `UPDATE clients SET generation = ?, revoked_at = ?, revoked_reason = ?, ${notAccepted} WHERE client_id = ?`,
    ),
    reissue: db.prepare(
      `UPDATE clients SET generation = ?, epoch = 0, wrap = ?, hello_window = ?, moved = ?,
         ${notAccepted}, revoked_at = NULL, revoked_reason = NULL WHERE client_id = ?`,
    ),
    remove: db.prepare("DELETE FROM clients WHERE client_id = ?"),
    rename: db.prepare("UPDATE clients SET label = ? WHERE client_id = ?"),
    tally: db.prepare(`SELECT ${ALARM_COLUMNS} FROM alarms WHERE client_id = ? AND kind = ?`),
    putTally: db.prepare(
      `INSERT OR REPLACE INTO alarms (client_id, ${ALARM_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    forgetAlarms: db.prepare("DELETE FROM alarms WHERE client_id = ?"),
    wrappedOtherwise: db.prepare(`SELECT ${SECRET_COLUMNS} FROM clients WHERE wrap IS NOT ? LIMIT ?`),
    wrapped: db.prepare("UPDATE clients SET wrap = ? WHERE client_id = ?"),
    probe: db.prepare("UPDATE store SET probes = probes + 1"),
  };
}

export function isOne({ changes }: ReturnType<Statement["run"]>): boolean {
  return Number(changes) === 1;
}
