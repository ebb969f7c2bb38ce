import { connect, type PawlConnection } from "@pawl/client";
import type { Ledger } from "./ledger.ts";
import { BYSTANDER, type World } from "./world.ts";

/**
 * A second client, in this process and straight at the server: nothing is done to it but what happens to its server.
 * It takes part in the target's rounds.
 */
export class Bystander {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #wrong: string[] = [];
  #connection: PawlConnection | null = null;
  #server = 0;
  #under: Promise<unknown> = Promise.resolve();

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  /** @param server which of the servers of this run it is */
  async connect(server: number, port: number): Promise<void> {
    this.#server = server;
    const connection = await connect({
      credential: this.#world.credential(BYSTANDER),
      host: "127.0.0.1",
      port,
    });
    this.#connection = connection;
    void connection.closed.then(() => {
      if (this.#connection === connection) this.#connection = null;
    });
  }

  get connected(): boolean {
    return this.#connection !== null;
  }

  /** One message. Whether it was acknowledged. */
  contribute(): Promise<boolean> {
    const [connection, server] = [this.#connection, this.#server];
    if (connection === null) return Promise.resolve(false);
    const sent = connection.send(this.#ledger.issue(BYSTANDER)).then(
      (answer) => {
        this.#wrong.push(...this.#ledger.acknowledge(BYSTANDER, server, answer));
        return true;
      },
      () => false,
    );
    this.#under = Promise.all([this.#under, sent]);
    return sent;
  }

  /** When nothing is under way any more; what was wrong with the answers. */
  async settled(): Promise<readonly string[]> {
    await this.#under;
    return this.#wrong;
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }
}
