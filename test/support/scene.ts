import { readFile } from "node:fs/promises";
import { Bystander } from "../chaos/bystander.ts";
import { Checks, readEvents } from "../chaos/checks.ts";
import { type Answer, Ledger } from "../chaos/ledger.ts";
import { eventually, type PawlProcess, type Processes } from "../chaos/processes.ts";
import { portOf, startServer, startTarget } from "../chaos/roles.ts";
import { TARGET, type World } from "../chaos/world.ts";

/** How a client that came anew fared. */
export interface Visit {
  readonly code: number | null;
  readonly answers: number;
  /** The lines on its stderr. */
  readonly said: readonly string[];
}

/** A server process with a client that is live, for tests of what happens when its store or a client's disk fails. */
export class Scene {
  readonly world: World;
  readonly server: PawlProcess;
  readonly checks: Checks;
  /** Live, in this process. */
  readonly live: Bystander;
  readonly #processes: Processes;
  readonly #ledger: Ledger;
  readonly #port: number;
  readonly #wrong: string[] = [];
  #visits = 0;

  private constructor(world: World, processes: Processes, server: PawlProcess, port: number) {
    this.world = world;
    this.server = server;
    this.#processes = processes;
    this.#port = port;
    this.#ledger = new Ledger();
    this.checks = new Checks(world);
    this.live = new Bystander(world, this.#ledger);
  }

  static async open(world: World, processes: Processes, env: Record<string, string> = {}): Promise<Scene> {
    const server = startServer(processes, world, "server", env);
    const port = await portOf(server);
    if (port === null) throw new Error(`the server does not start: ${await readFile(server.err, "utf8")}`);
    const scene = new Scene(world, processes, server, port);
    await scene.live.connect(1, port);
    if (!(await scene.live.contribute())) throw new Error("the live client was not answered");
    return scene;
  }

  /** The target comes with one message, and goes. */
  async visit(env: Record<string, string> = {}): Promise<Visit> {
    const at = { host: "127.0.0.1", port: this.#port };
    const session = { at, lines: [this.#ledger.issue(TARGET)], env };
    const client = await startTarget(this.#processes, this.world, `visit-${++this.#visits}`, session);
    const { code } = await client.exit;
    const answers = (await client.objects()) as unknown as Answer[];
    for (const answer of answers) this.#wrong.push(...this.#ledger.acknowledge(TARGET, 1, answer));
    const said = (await readFile(client.err, "utf8")).split("\n").filter((line) => line !== "");
    return { code, answers: answers.length, said };
  }

  /** It comes until it is answered. */
  async visitUntilServed(ms: number): Promise<boolean> {
    const served = await eventually(ms, async () => ((await this.visit()).answers === 1 ? true : null), 500);
    return served === true;
  }

  async events(): Promise<{ readonly type: string }[]> {
    // What `pawl serve --json` prints has a type.
    return (await this.server.objects()) as { readonly type: string }[];
  }

  async count(type: string): Promise<number> {
    return (await this.events()).filter((event) => event.type === type).length;
  }

  /** Ends all of it. What was wrong: with the answers, the counting, the secrets, the files. */
  async end(): Promise<string[]> {
    const wrong = [...(await this.checks.epochs({ equal: true })), ...(await this.checks.secrets())];
    await this.live.close();
    this.server.kill("SIGTERM");
    const { code } = await this.server.exit;
    if (code !== 0) wrong.push(`the server ended with ${code}`);
    const events = await readEvents([this.server]);
    const answers = [...this.#wrong, ...(await this.live.settled())];
    const left = await this.checks.leftovers();
    return [...wrong, ...left, ...answers, ...events.wrong, ...this.#ledger.check(events.rounds)];
  }
}
