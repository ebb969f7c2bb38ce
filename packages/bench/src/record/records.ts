import type { SuiteName } from "@pawl/protocol";
import type { Cell, Plan } from "../cells/measurement.ts";
import type { Samples } from "../compare.ts";
import { RECORD_WORKER, Worker } from "../processes.ts";
import type { RecordAnswers, RecordCommand } from "./commands.ts";

const OPERATIONS = ["seal", "open"] as const;
const SIZES = [64, 1_024, 16_384];

interface RecordCell extends Cell {
  readonly operation: (typeof OPERATIONS)[number];
  /** Of message. */
  readonly bytes: number;
}

/** What a packet costs a session, without a socket. */
export const RECORD_CELLS: readonly RecordCell[] = OPERATIONS.flatMap((operation) =>
  SIZES.map((bytes) => ({
    name: `${operation}-${bytes}`,
    unit: "µs of processor",
    better: "less" as const,
    operation,
    bytes,
  })),
);

export interface RecordsOptions {
  readonly suite: SuiteName;
  /** By the name that results carry; what each of them measures on. */
  readonly providers: Readonly<Record<string, string>>;
  readonly cells: readonly RecordCell[];
  readonly plan: Plan;
  readonly progress: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** All providers in turn, in one process, so that a machine whose speed drifts is as unkind to one as to another. */
export async function measureRecords(options: RecordsOptions): Promise<Samples> {
  const { suite, providers, cells, plan, progress, signal } = options;
  const targets = Object.entries(providers);
  const samples = new Map(cells.map(({ name }) => [name, new Map<string, number[]>()]));
  const worker = new Worker<RecordCommand, RecordAnswers>(RECORD_WORKER, { signal });
  const ask = (provider: string, bytes: number, ms: number) =>
    worker.ask({ type: "packets", provider, suite, bytes, ms });
  try {
    for (const bytes of new Set(cells.map((cell) => cell.bytes))) {
      progress(`packets of ${bytes} bytes: warming up`);
      for (const [, provider] of targets) await ask(provider, bytes, plan.sample.ms);
      for (let repetition = 1; repetition <= plan.repetitions; repetition++) {
        progress(`packets of ${bytes} bytes: ${repetition} of ${plan.repetitions}`);
        for (const [target, provider] of targets) {
          const times = await ask(provider, bytes, plan.sample.ms);
          for (const cell of cells.filter((one) => one.bytes === bytes)) {
            const ofCell = samples.get(cell.name);
            ofCell?.set(target, [...(ofCell.get(target) ?? []), times[cell.operation]]);
          }
        }
      }
    }
  } finally {
    await worker.end();
    progress("");
  }
  return samples;
}
