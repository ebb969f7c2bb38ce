import { writeSync } from "node:fs";
import { type ClientInfo, openSqliteStore } from "../../index.ts";
import { commitFrom, listed } from "../../testing/fixtures.ts";

/** A process of its own for tests: says what was acknowledged, a line each, and may be killed at any time. */
const STDOUT = 1;
const [path = "", task = ""] = process.argv.slice(2);
const store = await openSqliteStore({ path });
const clients = await listed(store);

/** Before anything more is done. Where its reader is slow, the pipe is full, and does not block. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(STDOUT, `${line}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

async function commitForEver(client: ClientInfo): Promise<never> {
  for (let at = client.epoch; ; at++) {
    const { outcome } = await store.commit(commitFrom({ ...client, epoch: at }));
    if (outcome !== "done") throw new Error(`client ${client.clientId} lost at epoch ${at}`);
    say(`${client.clientId} ${at + 1}`);
  }
}

switch (task) {
  case "commit-for-ever":
    await Promise.all(clients.map(commitForEver));
    break;
  case "commit-and-leave":
    // Nothing is awaited and nothing closed: the process ends when the commits are durable.
    store.watch(() => {});
    for (const client of clients) {
      void store.commit(commitFrom(client)).then(({ outcome }) => say(`${client.clientId} ${outcome}`));
    }
    break;
  case "revoke-all":
    for (const { clientId } of clients) await store.revoke(clientId, "by another process");
    await store.close();
    break;
  default:
    throw new Error(`no task ${task}`);
}
