import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ClientId, clientId } from "@pawl/protocol";
import type { Processes } from "./processes.ts";

/** The client that things happen to. */
export const TARGET = clientId(1);
/** A client that lives through all of it. */
export const BYSTANDER = clientId(2);
export const CLIENTS = [TARGET, BYSTANDER] as const;

/** The files of a server and its clients. */
export class World {
  readonly folder: string;
  /** `E_0` of each client, from its enrolment. */
  readonly firstSecrets: ReadonlyMap<ClientId, Uint8Array>;

  private constructor(folder: string, firstSecrets: ReadonlyMap<ClientId, Uint8Array>) {
    this.folder = folder;
    this.firstSecrets = firstSecrets;
  }

  static async enrol(folder: string, processes: Processes): Promise<World> {
    const secrets = new Map<ClientId, Uint8Array>();
    const world = new World(folder, secrets);
    await mkdir(world.logs, { recursive: true });
    const run = (...args: string[]) => processes.run({ args, output: join(world.logs, "enrol") });
    await run("init", world.home, "--json");
    for (const client of CLIENTS) {
      const path = world.credential(client);
      await mkdir(dirname(path), { mode: 0o700 });
      await run("keys", "add", "--home", world.home, "--id", String(client), "-o", path, "--json");
      secrets.set(client, (await world.readCredential(client)).secret);
    }
    return world;
  }

  async copyTo(folder: string): Promise<World> {
    await cp(this.folder, folder, { recursive: true });
    return new World(folder, this.firstSecrets);
  }

  /** What is in one folder into another that is there. */
  async copyFolder(from: string, to: string): Promise<void> {
    for (const name of await readdir(from)) await cp(join(from, name), join(to, name), { recursive: true });
  }

  async clearLogs(): Promise<void> {
    await rm(this.logs, { recursive: true, force: true });
    await mkdir(this.logs);
  }

  get home(): string {
    return join(this.folder, "home");
  }

  get logs(): string {
    return join(this.folder, "logs");
  }

  /** Each in a folder of its own. */
  credential(client: ClientId): string {
    return join(this.folder, `client-${client}`, "client.pawl");
  }

  async readCredential(client: ClientId): Promise<{ epoch: number; secret: Uint8Array }> {
    const text = await readFile(this.credential(client), "utf8");
    // Never quoted: it has the secret.
    if (!text.endsWith("}\n")) throw new Error(`the credential of client ${client} is damaged`);
    const { epoch, key } = JSON.parse(text) as { epoch: number; key: string };
    return { epoch, secret: Buffer.from(key, "base64url") };
  }

  /** What lies beside a credential. */
  async besideCredential(client: ClientId): Promise<string[]> {
    return (await readdir(dirname(this.credential(client)))).filter((name) => name !== "client.pawl");
  }

  /** What fault.c is to watch in a server, and in the target. */
  get serverFiles(): Record<string, string> {
    const database = join(this.home, "keys.db");
    return { database, log: `${database}-wal`, index: `${database}-shm`, home: this.home };
  }

  get clientFiles(): Record<string, string> {
    const credential = this.credential(TARGET);
    return {
      credential,
      temporary: `${credential}.tmp`,
      lock: `${credential}.lock`,
      takeover: `${credential}.lock.*`,
      folder: dirname(credential),
    };
  }
}
