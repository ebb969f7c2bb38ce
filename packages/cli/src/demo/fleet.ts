import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PawlConnection, writeCredentialFile } from "@pawl/client";
import {
  createProxy,
  each,
  type FrameProxy,
  type ObservedFrame,
  type ProxiedConnection,
  pass,
} from "@pawl/lab";
import { clientId, copyOf, type Epoch, LAST_BYTES, SECRET_BYTES, STRICT } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createServer, type EventOf, type PawlServer } from "@pawl/server";
import { createDbKey, openSqliteStore, type SqliteStore } from "@pawl/server/keys";
import { COLUMNS, type Column } from "./weather.ts";

/** One of the demo's clients. */
export interface Member {
  readonly column: Column;
  readonly session: PawlConnection;
}

/** Home, database, server, proxy and clients of the demo, all real, all gone after `close`. */
export class DemoFleet {
  readonly home: string;
  readonly server: PawlServer;
  readonly port: number;
  readonly members: Member[] = [];
  readonly #keys: SqliteStore;
  readonly #proxy: FrameProxy;
  /** The DATA frames that the man in the middle has seen, and where they went by. */
  readonly #recorded: { frame: ObservedFrame; connection: ProxiedConnection }[];

  private constructor(parts: {
    home: string;
    server: PawlServer;
    port: number;
    keys: SqliteStore;
    proxy: FrameProxy;
    recorded: { frame: ObservedFrame; connection: ProxiedConnection }[];
  }) {
    this.home = parts.home;
    this.server = parts.server;
    this.port = parts.port;
    this.#keys = parts.keys;
    this.#proxy = parts.proxy;
    this.#recorded = parts.recorded;
  }

  static async start(): Promise<DemoFleet> {
    const home = await mkdtemp(join(tmpdir(), "pawl-demo-"));
    try {
      return await DemoFleet.#startIn(home);
    } catch (error) {
      await rm(home, { recursive: true, force: true });
      throw error;
    }
  }

  static async #startIn(home: string): Promise<DemoFleet> {
    const dbKey = createDbKey();
    const dbKeys = async () => [copyOf(dbKey)];
    const keys = await openSqliteStore({ path: join(home, "keys.db"), create: true, dbKeys });
    const server = createServer({ keys, rounds: { policy: "barrier", deadlineMs: 2_000 } });
    const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const recorded: { frame: ObservedFrame; connection: ProxiedConnection }[] = [];
    const proxy = await createProxy({
      upstream: { host, port },
      program: (connection) =>
        each((frame) => {
          if (frame.header?.opcode === "DATA") recorded.push({ frame, connection });
          return pass;
        }),
    });
    return new DemoFleet({ home, server, port, keys, proxy, recorded });
  }

  /** Enrols a client for each column, and connects it; the last one through the man in the middle. */
  async enrolAndConnect(): Promise<void> {
    for (const [index, column] of COLUMNS.entries()) {
      const id = clientId(index + 1);
      const secret = systemRandom(SECRET_BYTES);
      const path = join(this.home, `${column}.pawl`);
      await writeCredentialFile(path, {
        suite: STRICT,
        clientId: id,
        epoch: 0 as Epoch,
        secret,
        last: new Uint8Array(LAST_BYTES),
      });
      await this.#keys.add([{ clientId: id, suite: STRICT, secret, label: column }]);
      secret.fill(0);
      const port = index === COLUMNS.length - 1 ? this.#proxy.port : this.port;
      this.members.push({ column, session: await connect({ credential: path, host: "127.0.0.1", port }) });
    }
    // A session is live from its first packet on; a cover makes it so, and contributes nothing.
    await Promise.all(this.members.map(({ session }) => session.cover()));
  }

  /** The man in the middle sends the last DATA frame once more; resolves with the check that refused it. */
  async replay(): Promise<{ frame: ObservedFrame; violation: EventOf<"violation"> }> {
    const last = this.#recorded.at(-1);
    if (last === undefined) throw new Error("the man in the middle has seen no DATA");
    const violation = new Promise<EventOf<"violation">>((resolve) => {
      const end = this.server.events.on("violation", (event) => {
        end();
        resolve(event);
      });
    });
    last.connection.inject("c2s", last.frame.bytes, "the last DATA once more");
    return { frame: last.frame, violation: await violation };
  }

  async close(): Promise<void> {
    try {
      await Promise.allSettled(this.members.map(({ session }) => session.close()));
      await this.#proxy.close();
      await this.server.close({ graceMs: 1_000 });
      await this.#keys.close();
    } finally {
      await rm(this.home, { recursive: true, force: true });
    }
  }
}
