import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Effort, Measurement, Plan, Setting, Usage } from "./cells/measurement.ts";
import { OWN_TARGETS, type TargetSource, WORKER, Worker } from "./processes.ts";
import type { Application } from "./targets/target.ts";

/** Figures of a target, one a repetition, by the name of the cell. */
export type Samples = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

export interface Comparison {
  readonly plan: Plan;
  readonly targets: readonly { readonly name: string; readonly applications: readonly Application[] }[];
  readonly measurements: readonly Measurement[];
  /** On a disk, for what servers have to keep. */
  readonly folder: string;
  readonly progress: (text: string) => void;
  /** Where the processes find the targets; those of this package unless given. */
  readonly source?: TargetSource;
  /** Ends all of it at once, with an error. */
  readonly signal?: AbortSignal;
}

/**
 * Measures everything on all targets in turn, from another start each time, so that a machine whose speed drifts is as unkind to
 * one as to another. @throws Error that names the target and what was being done
 */
export async function compare(comparison: Comparison): Promise<Samples> {
  const samples = new Map<string, Map<string, number[]>>();
  let pairs: readonly Pair[] = [];
  const endAll = () => Promise.all(pairs.map((pair) => pair.end()));
  try {
    for (const { setting, measurements } of bySetting(comparison)) {
      if (pairs.length === 0 || setting.fresh) {
        await endAll();
        pairs = comparison.targets.map(({ name }) => new Pair(name, comparison));
      }
      const able = await prepare(comparison, pairs, setting);
      for (const measurement of measurements) {
        for (const { name } of measurement.cells)
          samples.set(name, new Map(able.map(({ target }) => [target, []])));
        for (const { cell, target, figure } of await repeat(comparison, able, measurement))
          samples.get(cell)?.get(target)?.push(figure);
      }
    }
  } finally {
    await endAll();
    comparison.progress("");
  }
  return samples;
}

interface Group {
  readonly setting: Setting;
  readonly measurements: Measurement[];
}

function bySetting({ measurements, plan }: Comparison): Group[] {
  const groups: Group[] = [];
  for (const measurement of measurements) {
    const setting = measurement.setting(plan);
    const last = groups.at(-1);
    if (last !== undefined && JSON.stringify(last.setting) === JSON.stringify(setting))
      last.measurements.push(measurement);
    else groups.push({ setting, measurements: [measurement] });
  }
  return groups;
}

/** Those that can be in such a setting, when they are in it. */
async function prepare(comparison: Comparison, pairs: readonly Pair[], setting: Setting): Promise<Pair[]> {
  const { targets, folder, progress } = comparison;
  progress(`getting ready: ${setting.application}, clients: ${setting.clients}`);
  const able = pairs.filter(({ target }) =>
    targets.some(({ name, applications }) => name === target && applications.includes(setting.application)),
  );
  await Promise.all(able.map((pair) => pair.prepare(setting, folder)));
  return able;
}

async function repeat(comparison: Comparison, pairs: readonly Pair[], measurement: Measurement) {
  const { plan, progress } = comparison;
  const figures: { cell: string; target: string; figure: number }[] = [];
  for (const pair of pairs) {
    progress(`${measurement.name}: ${pair.target}, warming up`);
    for (let count = measurement.warmUps ?? 1; count > 0; count--)
      await pair.sample(measurement, plan.warmUp);
  }
  for (let repetition = 1; repetition <= plan.repetitions; repetition++) {
    for (let turn = 0; turn < pairs.length; turn++) {
      const pair = pairs[(turn + repetition) % pairs.length];
      if (pair === undefined) continue;
      progress(`${measurement.name}: ${pair.target}, ${repetition} of ${plan.repetitions}`);
      const sample = await pair.sample(measurement, plan.sample);
      for (const [index, { name }] of measurement.cells.entries())
        figures.push({ cell: name, target: pair.target, figure: sample[index] ?? Number.NaN });
    }
  }
  return figures;
}

/** Server and clients of one target. */
class Pair {
  readonly target: string;
  readonly #module: string;
  readonly #server: Worker;
  readonly #clients: Worker;

  constructor(target: string, { source = OWN_TARGETS, signal }: Comparison) {
    const options = { execArgv: source.execArgv, signal };
    this.target = target;
    this.#module = source.module.href;
    this.#server = new Worker(WORKER, options);
    this.#clients = new Worker(WORKER, options);
  }

  /** Starts another server beside those that have nobody left, and takes the clients there. @param parent of folders */
  prepare(setting: Setting, parent: string): Promise<void> {
    const { target } = this;
    const module = this.#module;
    return this.#naming("getting ready", async () => {
      const folder = setting.durable ? await mkdtemp(join(parent, `${target}-`)) : null;
      const options = { application: setting.application, clients: setting.clients, folder };
      const { port } = await this.#server.ask({ type: "serve", module, target, options });
      await this.#clients.ask({ type: "connect", module, target, port, setting });
      await this.#usage({ collect: true });
    });
  }

  /** One figure a cell. */
  sample(measurement: Measurement, effort: Effort): Promise<readonly number[]> {
    return this.#naming(measurement.name, async () => {
      const before = await this.#usage({ collect: false });
      const outcome = await this.#clients.ask({ type: "work", measurement: measurement.name, effort });
      // Where memory is measured it is what is in use. Elsewhere a collection that is forced would throw compiled code away.
      const after = await this.#usage({ collect: measurement.ofMemory === true });
      const usage: Usage = {
        processorMicros:
          after.server.processorMicros -
          before.server.processorMicros +
          (after.clients.processorMicros - before.clients.processorMicros),
        residentBytes: after.server.residentBytes - before.server.residentBytes,
      };
      return measurement.figures(outcome, usage);
    });
  }

  async end(): Promise<void> {
    await Promise.all([this.#clients.end(), this.#server.end()]);
  }

  async #usage({ collect }: { collect: boolean }) {
    const command = { type: "usage", collect } as const;
    const [server, clients] = await Promise.all([this.#server.ask(command), this.#clients.ask(command)]);
    return { server, clients };
  }

  async #naming<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw new Error(`${this.target}, ${what}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}
