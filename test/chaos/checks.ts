import type { ClientId } from "@pawl/protocol";
import type { CountedRound } from "./ledger.ts";
import { eventually, type PawlProcess } from "./processes.ts";
import { epochSecrets, findSecrets, type Needle } from "./secrets.ts";
import { readStore } from "./store-view.ts";
import { CLIENTS, type World } from "./world.ts";

/** What the product promises for a replaced secret is about a second. */
const FORGOTTEN_MS = 5_000;

/** A crash makes no copy of a client and sets none back: whoever says so is wrong. */
const NEVER = new Set(["clone-detected", "stale-epoch", "application-error", "listener-error"]);

/** Watches what is stored in the course of one run: the invariants of section 4.5, and that old secrets are gone. */
export class Checks {
  readonly #world: World;
  /** Each secret as it stood in its column, by client and epoch. */
  readonly #columns = new Map<ClientId, Map<number, Uint8Array>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The client is never behind the server and at most one ahead. @param equal no message is under way: not even that */
  async epochs({ equal }: { readonly equal: boolean }): Promise<string[]> {
    const wrong: string[] = [];
    for (const { client, server, ahead, secretIsRight } of await this.#look()) {
      if (ahead < 0 || ahead > (equal ? 0 : 1))
        wrong.push(`client ${client} is at epoch ${server + ahead}, the server has it at ${server}`);
      if (!secretIsRight) wrong.push(`client ${client} does not have the secret of its epoch`);
    }
    return wrong;
  }

  /** No secret of an epoch that both have left is in any file, soon; none at all is in what was printed. */
  async secrets(): Promise<string[]> {
    const finished: Needle[] = [];
    const all: Needle[] = [];
    for (const { client, server } of await this.#look()) {
      const first = this.#world.firstSecrets.get(client) ?? new Uint8Array(32);
      const secrets = epochSecrets(client, first, server + 1);
      all.push(...secrets);
      finished.push(...secrets.slice(0, server));
      for (const [epoch, bytes] of this.#columns.get(client) ?? [])
        if (epoch < server)
          finished.push({ name: `the stored secret of client ${client} at ${epoch}`, bytes });
    }
    let found: string[] = [];
    await eventually(
      FORGOTTEN_MS,
      async () => {
        found = await findSecrets(this.#world.folder, finished);
        return found.length === 0 ? true : null;
      },
      100,
    );
    return [...found, ...(await findSecrets(this.#world.logs, all))];
  }

  /** Neither temporary files nor locks stay when all have ended. */
  async leftovers(): Promise<string[]> {
    const wrong: string[] = [];
    for (const client of CLIENTS)
      for (const name of await this.#world.besideCredential(client))
        wrong.push(`${name} was left beside the credential of client ${client}`);
    return wrong;
  }

  async #look() {
    const rows = await readStore(this.#world);
    return Promise.all(
      rows.map(async ({ clientId, epoch: server, secret: column }) => {
        const client = clientId as ClientId;
        const columns = this.#columns.get(client) ?? new Map<number, Uint8Array>();
        this.#columns.set(client, columns.set(server, column));
        const { epoch, secret } = await this.#world.readCredential(client);
        const first = this.#world.firstSecrets.get(client) ?? new Uint8Array(32);
        const right = epochSecrets(client, first, epoch).at(-1)?.bytes ?? new Uint8Array();
        return { client, server, ahead: epoch - server, secretIsRight: Buffer.compare(right, secret) === 0 };
      }),
    );
  }
}

/** The rounds that servers closed, and the events among theirs that no crash may cause. */
export async function readEvents(
  servers: readonly PawlProcess[],
): Promise<{ rounds: CountedRound[]; wrong: string[] }> {
  const rounds: CountedRound[] = [];
  const wrong: string[] = [];
  for (const [index, server] of servers.entries()) {
    for (const event of await server.objects()) {
      // What `pawl serve --json` prints.
      const { type, round, aggregate, contributors } = event as unknown as CountedRound & { type: string };
      if (type === "round") rounds.push({ server: index + 1, round, aggregate, contributors });
      if (NEVER.has(type)) wrong.push(`server ${index + 1} said ${JSON.stringify(event)}`);
    }
  }
  return { rounds, wrong };
}
