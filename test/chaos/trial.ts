import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Actions,
  createProxy,
  drop,
  each,
  type ObservedFrame,
  type ProxiedConnection,
  pass,
  replace,
} from "@pawl/lab";
import { Bystander } from "./bystander.ts";
import { Checks, readEvents } from "./checks.ts";
import type { Fault, Side } from "./faults.ts";
import { injectorEnv } from "./injector.ts";
import { type Answer, Ledger } from "./ledger.ts";
import { endsWithin, eventually, HANGS_MS, type PawlProcess, type Processes, pause } from "./processes.ts";
import { type Address, portOf, startServer, startTarget } from "./roles.ts";
import { TARGET, type World } from "./world.ts";

const MESSAGES = 3;
/** A lock whose owner died before it had written its name is respected for 10 s. */
const BACK_MS = 20_000;
/** The server empties its log about a second after a commit. */
const CHECKPOINT_MS = 2_000;

export interface TrialOptions {
  readonly processes: Processes;
  /** This run's own. */
  readonly world: World;
  /** Null: a dry run, with a trace of each side where there is a library. */
  readonly fault: Fault | null;
  /** Of the fault injector. */
  readonly library: string | null;
  /** Kills the server after a fault that it survives, too; else the client finds it as it is. */
  readonly killSurvivor: boolean;
}

export interface TrialResult {
  readonly fired: boolean;
  readonly violations: readonly string[];
  /** That passed through the proxy before the fault, of one session in a dry run. */
  readonly frames: number;
  /** Starts of the client until it was served again. */
  readonly attempts: number;
}

/** One run: a session with a fault, what is stored after it, both sides again, and whether all that must hold does. */
export class Trial {
  readonly #options: TrialOptions;
  readonly #world: World;
  readonly #ledger = new Ledger();
  readonly #checks: Checks;
  readonly #bystander: Bystander;
  readonly #servers: PawlProcess[] = [];
  readonly #violations: string[] = [];
  #clients = 0;
  #frames = 0;
  #fired = false;
  #connection: ProxiedConnection | null = null;
  #helloSeen: () => void = () => {};
  readonly #hello = new Promise<void>((resolve) => {
    this.#helloSeen = resolve;
  });

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#checks = new Checks(options.world);
    this.#bystander = new Bystander(options.world, this.#ledger);
  }

  async run(): Promise<TrialResult> {
    this.#note(await this.#checks.epochs({ equal: false }));
    await this.#sessionWithFault();
    this.#note(await this.#checks.epochs({ equal: false }));
    const attempts = await this.#comeBack();
    this.#note(await this.#checks.epochs({ equal: true }));
    this.#note(await this.#checks.secrets());
    await this.#end();
    this.#note(await this.#checks.secrets());
    this.#note(await this.#checks.leftovers());
    const { rounds, wrong } = await readEvents(this.#servers);
    this.#note([...wrong, ...this.#ledger.check(rounds)]);
    return { fired: this.#fired, violations: this.#violations, frames: this.#frames, attempts };
  }

  async #sessionWithFault(): Promise<void> {
    const { fault, killSurvivor } = this.#options;
    const server = this.#startServer(this.#envOf("server"));
    const atStart = fault?.kind === "instant" && fault.since === "start" && fault.victim === "server";
    const struck = atStart ? this.#strikeLater(fault.ms, [server]) : null;
    const port = await portOf(server);
    if (port !== null) await this.#session(server, port);
    await struck;
    // Where the server is to fail it has to come as far: it empties its log, and it ends.
    if (server.alive && (fault === null || isAt(fault, "server"))) {
      await eventually(CHECKPOINT_MS, async () => ((await this.#hasFired()) ? true : null));
      if (!(await this.#hasFired())) await this.#drain(server);
    }
    if (fault?.kind === "call") this.#fired = await this.#hasFired();
    if (killSurvivor) server.kill("SIGKILL");
    const killed = this.#fired && fault !== null && isAt(fault, "server") && isKill(fault);
    if (killSurvivor || killed || port === null) await this.#gone(server);
    this.#note(await this.#bystander.settled());
  }

  /** One session of the target, with the bystander in its rounds. */
  async #session(server: PawlProcess, port: number): Promise<void> {
    const { fault } = this.#options;
    const number = this.#servers.length;
    // Whether it gets through is the fault's to decide.
    await this.#bystander.connect(number, port).then(
      () => this.#bystander.contribute(),
      () => {},
    );
    const proxy = await createProxy({
      upstream: { host: "127.0.0.1", port },
      program: (connection) => each((frame) => this.#onFrame(frame, connection)),
    });
    const client = await this.#startTarget(proxy, MESSAGES, this.#envOf("client"));
    if (fault?.kind === "instant" && !(fault.since === "start" && fault.victim === "server")) {
      if (fault.since === "hello") await Promise.race([this.#hello, client.exit]);
      const { victim } = fault;
      await this.#strikeLater(fault.ms, [
        ...(victim === "server" || victim === "both" ? [server] : []),
        ...(victim === "client" || victim === "both" ? [client] : []),
      ]);
    }
    await this.#finish(client, number);
    await proxy.close();
  }

  async #strikeLater(ms: number, victims: readonly PawlProcess[]): Promise<void> {
    await pause(ms);
    this.#fired = victims.length === 0 ? this.#connection !== null : victims.some(({ alive }) => alive);
    for (const victim of victims) victim.kill("SIGKILL");
    await Promise.all(victims.map(({ exit }) => exit));
    if (victims.length === 0) this.#connection?.cut();
  }

  #onFrame({ index, header, bytes }: ObservedFrame, connection: ProxiedConnection): Actions {
    const { fault } = this.#options;
    this.#frames++;
    this.#connection = connection;
    this.#helloSeen();
    // So that both are in one round, and some rounds are still open when something happens to the target.
    if (header?.opcode === "DATA") void pause((index % 3) * 20).then(() => this.#bystander.contribute());
    if (fault?.kind !== "cut" || fault.frame !== index) return pass;
    this.#fired = true;
    if (fault.where === "before") {
      connection.cut();
      return drop;
    }
    // By then the bytes are with the receiver's kernel.
    setImmediate(() => connection.cut());
    return fault.where === "after" ? pass : replace("its first half", bytes.subarray(0, bytes.length >> 1));
  }

  /** Both again, without faults. Returns how often the target was started. */
  async #comeBack(): Promise<number> {
    let server = this.#servers.at(-1);
    if (server?.alive !== true) server = this.#startServer({});
    const port = await portOf(server);
    if (port === null) {
      this.#note([`the server does not start again: ${await readFile(server.err, "utf8")}`]);
      return 0;
    }
    const number = this.#servers.length;
    const attempts = await this.#targetComesBack(number, port);
    try {
      if (!this.#bystander.connected) await this.#bystander.connect(number, port);
      if (!(await this.#bystander.contribute())) this.#note(["the bystander was not answered"]);
    } catch (error) {
      this.#note([`the bystander does not come back: ${error}`]);
    }
    this.#note(await this.#bystander.settled());
    return attempts;
  }

  async #targetComesBack(server: number, port: number): Promise<number> {
    const deadline = performance.now() + BACK_MS;
    for (let attempts = 1; ; attempts++) {
      const client = await this.#startTarget({ host: "127.0.0.1", port }, 1, {});
      if ((await this.#finish(client, server)) === 1) return attempts;
      const said = (await readFile(client.err, "utf8")).trim();
      if (!this.#mayHaveToWait(said)) this.#note([`the client was not served at once: ${said}`]);
      if (performance.now() > deadline) {
        this.#note([`the client does not come back: ${said}`]);
        return attempts;
      }
      await pause(500);
    }
  }

  /** For the lock of an owner that died before it had written its name, and for a server whose store has just failed. */
  #mayHaveToWait(said: string): boolean {
    const { fault } = this.#options;
    const storeFailed =
      fault !== null && isAt(fault, "server") && !isKill(fault) && this.#servers.length === 1;
    return storeFailed || said.includes("in use by another process");
  }

  async #end(): Promise<void> {
    await this.#bystander.close();
    const server = this.#servers.at(-1);
    if (server !== undefined) await this.#drain(server);
  }

  /** As an operator ends it. */
  async #drain(server: PawlProcess): Promise<void> {
    server.kill("SIGTERM");
    await this.#gone(server);
    const { fault } = this.#options;
    const mayFail = fault !== null && isAt(fault, "server") && this.#servers.length === 1;
    const { code } = await server.exit;
    if (code !== 0 && !mayFail)
      this.#note([`the server ended with ${code}: ${await readFile(server.err, "utf8")}`]);
  }

  async #gone(child: PawlProcess): Promise<void> {
    if (await endsWithin(HANGS_MS, child)) return;
    this.#note(["a process does not end"]);
    child.kill("SIGKILL");
    await child.exit;
  }

  #startServer(env: Record<string, string>): PawlProcess {
    const server = startServer(
      this.#options.processes,
      this.#world,
      `server-${this.#servers.length + 1}`,
      env,
    );
    this.#servers.push(server);
    return server;
  }

  #startTarget(at: Address, messages: number, env: Record<string, string>): Promise<PawlProcess> {
    const lines = Array.from({ length: messages }, () => this.#ledger.issue(TARGET));
    return startTarget(this.#options.processes, this.#world, `client-${++this.#clients}`, { at, lines, env });
  }

  /** Waits for the end of a client, and enters what it was told. Returns how many answers that were. */
  async #finish(client: PawlProcess, server: number): Promise<number> {
    await this.#gone(client);
    const answers = (await client.objects()) as unknown as Answer[];
    for (const answer of answers) this.#note(this.#ledger.acknowledge(TARGET, server, answer));
    return answers.length;
  }

  #envOf(side: Side): Record<string, string> {
    const { fault, library } = this.#options;
    if (library === null) return {};
    const files = side === "server" ? this.#world.serverFiles : this.#world.clientFiles;
    if (fault === null) return injectorEnv(library, { files, trace: this.tracePath(side) });
    if (fault.kind !== "call" || fault.side !== side) return {};
    return injectorEnv(library, {
      files,
      fired: this.#firedPath,
      strike: { ...fault.at, what: fault.what },
    });
  }

  tracePath(side: Side): string {
    return join(this.#world.logs, `${side}.trace`);
  }

  get #firedPath(): string {
    return join(this.#world.logs, "fired");
  }

  async #hasFired(): Promise<boolean> {
    return access(this.#firedPath).then(
      () => true,
      () => false,
    );
  }

  #note(violations: readonly string[]): void {
    for (const violation of violations)
      if (!this.#violations.includes(violation)) this.#violations.push(violation);
  }
}

function isAt(fault: Fault, side: Side): boolean {
  return fault.kind === "call" && fault.side === side;
}

function isKill(fault: Fault): boolean {
  return fault.kind === "call" && fault.what.startsWith("kill");
}
