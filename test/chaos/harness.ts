import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bystander } from "./bystander.ts";
import { type Dry, describeFault, everyFault, type Fault, planRuns, type Start } from "./faults.ts";
import { compileInjector, injectorEnv, readTrace } from "./injector.ts";
import { Ledger } from "./ledger.ts";
import { Processes } from "./processes.ts";
import { SeededRandom } from "./random.ts";
import { portOf, startServer, startTarget } from "./roles.ts";
import { Trial } from "./trial.ts";
import { World } from "./world.ts";

export interface ChaosOptions {
  readonly runs: number;
  readonly seed: number;
  /** Runs at the same time: they mostly wait. */
  readonly lanes: number;
  /** This run alone, from 1. */
  readonly only?: number;
  /** This fault alone, in a run of the number `only`: what a dry run finds may differ where the machine is busier. */
  readonly fault?: Fault;
  /** Those runs alone whose fault is described with these words. */
  readonly match?: string;
  /** Keeps the files of runs that found something. */
  readonly keep?: boolean;
  readonly signal?: AbortSignal;
  readonly onRun?: (run: Run, done: number, of: number) => void;
  readonly onNote?: (text: string) => void;
}

/** What came of one fault. */
export interface Run {
  /** From 1; the same for the same seed and number of runs. */
  readonly number: number;
  readonly fault: Fault;
  readonly fired: boolean;
  readonly violations: readonly string[];
  /** Starts of the client until it was served again. */
  readonly attempts: number;
  /** Where its files are, if they were kept. */
  readonly kept: string | null;
}

export interface ChaosResult {
  readonly runs: readonly Run[];
  /** Faults that can be told by their place, all of which were injected if there were runs enough; 0: nobody looked. */
  readonly systematic: number;
  readonly interrupted: boolean;
}

/** Runs it all in a folder of its own, which is removed, with processes of its own, which are ended. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-chaos-"));
  const processes = new Processes();
  const stop = () => processes.killAll();
  options.signal?.addEventListener("abort", stop, { once: true });
  let kept = false;
  try {
    const chaos = new Chaos(options, folder, processes);
    const result = await chaos.run();
    kept = result.runs.some((run) => run.kept !== null);
    return result;
  } catch (error) {
    if (options.signal?.aborted === true) return { runs: [], systematic: 0, interrupted: true };
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", stop);
    processes.killAll();
    if (!kept) await rm(folder, { recursive: true, force: true });
  }
}

interface Planned {
  readonly fault: Fault;
  readonly number: number;
}
interface Plan {
  readonly plan: readonly Planned[];
  /** Places that the dry runs found. */
  readonly systematic: number;
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #folder: string;
  readonly #processes: Processes;
  readonly #worlds = new Map<Start, World>();
  #library: string | null = null;

  constructor(options: ChaosOptions, folder: string, processes: Processes) {
    this.#options = options;
    this.#folder = folder;
    this.#processes = processes;
  }

  async run(): Promise<ChaosResult> {
    const { only, fault, match = "" } = this.#options;
    await this.#makeWorlds();
    const { plan, systematic } = fault === undefined ? await this.#plan() : planOf(fault, only);
    const chosen = plan.filter(
      ({ number, fault }) => (only === undefined || only === number) && describeFault(fault).includes(match),
    );
    const done = await this.#inLanes(chosen);
    return { runs: done, systematic, interrupted: this.#stopped };
  }

  async #plan(): Promise<Plan> {
    const { runs, seed } = this.#options;
    const dries = await Promise.all([...this.#worlds.keys()].map((start) => this.#dryRun(start)));
    const systematic = everyFault(dries);
    const faults = planRuns(runs, systematic, dries, new SeededRandom(seed));
    return {
      plan: faults.map((fault, index) => ({ fault, number: index + 1 })),
      systematic: systematic.length,
    };
  }

  async #makeWorlds(): Promise<void> {
    this.#library = await compileInjector(this.#folder);
    const enrolled = await World.enrol(join(this.#folder, "enrolled"), this.#processes);
    await enrolled.clearLogs();
    this.#worlds.set("enrolled", enrolled);
    if (this.#library === null) {
      this.#options.onNote?.("no Linux with a C compiler (cc) here: cuts and random instants only");
      return;
    }
    const crashed = await enrolled.copyTo(join(this.#folder, "crashed"));
    await crash(crashed, this.#processes, this.#library);
    await crashed.clearLogs();
    this.#worlds.set("crashed", crashed);
  }

  /** The scenario without a fault: what there is to break. @throws where that already goes wrong */
  async #dryRun(start: Start): Promise<Dry> {
    const world = await this.#newWorld(start, `dry-${start}`);
    const trial = new Trial({ ...this.#common(), world, fault: null, killSurvivor: false });
    const { violations, frames } = await trial.run();
    if (violations.length > 0 && !this.#stopped)
      throw new Error(`without any fault: ${violations.join("; ")}`);
    const traceOf = (side: "server" | "client") =>
      this.#library === null ? [] : readTrace(trial.tracePath(side));
    const calls = { server: await traceOf("server"), client: await traceOf("client") };
    await rm(world.folder, { recursive: true, force: true });
    return { start, calls, frames };
  }

  async #inLanes(plan: readonly Planned[]): Promise<Run[]> {
    const { lanes, onRun } = this.#options;
    const done: Run[] = [];
    const waiting = [...plan];
    const lane = async () => {
      for (let next = waiting.shift(); next !== undefined && !this.#stopped; next = waiting.shift()) {
        const run = await this.#try(next.fault, next.number);
        // What is cut short by ^C says nothing.
        if (this.#stopped) return;
        done.push(run);
        onRun?.(run, done.length, plan.length);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return done.sort((a, b) => a.number - b.number);
  }

  async #try(fault: Fault, number: number): Promise<Run> {
    const world = await this.#newWorld(fault.start, `run-${number}`);
    const trial = new Trial({ ...this.#common(), world, fault, killSurvivor: number % 2 === 0 });
    const { fired, violations, attempts } = await trial.run().catch((error: unknown) => ({
      fired: false,
      violations: [`the run itself failed: ${error instanceof Error ? error.stack : error}`],
      attempts: 0,
    }));
    const keep = this.#options.keep === true && violations.length > 0;
    if (!keep) await rm(world.folder, { recursive: true, force: true });
    return { number, fault, fired, violations, attempts, kept: keep ? world.folder : null };
  }

  async #newWorld(start: Start, name: string): Promise<World> {
    const world = this.#worlds.get(start);
    if (world === undefined) throw new Error(`no world to set out from: ${start}`);
    const folder = join(this.#folder, "runs", name);
    await mkdir(join(this.#folder, "runs"), { recursive: true });
    return world.copyTo(folder);
  }

  get #stopped(): boolean {
    return this.#options.signal?.aborted === true;
  }

  #common() {
    return { processes: this.#processes, library: this.#library };
  }
}

function planOf(fault: Fault, number = 1): Plan {
  return { plan: [{ fault, number }], systematic: 0 };
}

/**
 * Leaves what is hardest to come back from: the target has moved to its next epoch and said nothing, its lock is still
 * there, and the server's log holds a secret that was replaced.
 */
async function crash(world: World, processes: Processes, library: string): Promise<void> {
  const server = startServer(processes, world, "server", {});
  const port = await portOf(server);
  if (port === null) throw new Error("the server does not start");
  const strike = { target: "folder", call: "sync", nth: 2, what: "kill-after" } as const;
  const env = injectorEnv(library, { files: world.clientFiles, strike });
  const ledger = new Ledger();
  const target = await startTarget(processes, world, "client", {
    at: { host: "127.0.0.1", port },
    lines: ["1"],
    env,
  });
  await target.exit;
  const bystander = new Bystander(world, ledger);
  await bystander.connect(1, port);
  await bystander.contribute();
  server.kill("SIGKILL");
  await server.exit;
  await bystander.close();
}
