import type { Effort, Setting } from "./cells/measurement.ts";
import type { ServeOptions } from "./targets/target.ts";

/** What the bench asks of its processes, one command at a time. */
export type Command =
  | {
      readonly type: "serve";
      /** Where the target is found: a module that exports `TARGETS`, as its address. */
      readonly module: string;
      readonly target: string;
      readonly options: ServeOptions;
    }
  | {
      readonly type: "connect";
      readonly module: string;
      readonly target: string;
      readonly port: number;
      readonly setting: Setting;
    }
  | { readonly type: "work"; readonly measurement: string; readonly effort: Effort }
  | { readonly type: "usage"; readonly collect: boolean };

/** What is answered to which. */
export interface Answers {
  readonly serve: { readonly port: number };
  readonly connect: { readonly connected: number };
  readonly work: object;
  readonly usage: ProcessUsage;
}

export type Reply = { readonly answer: object } | { readonly failure: string };

/** What a process has had so far, and then its garbage collected where that was asked for. */
export interface ProcessUsage {
  /** Processor time before the collection, µs. */
  readonly processorMicros: number;
  /** Of it, in the kernel. */
  readonly systemMicros: number;
  /** Resident memory after it. */
  readonly residentBytes: number;
  /** Of it, objects of JavaScript. */
  readonly heapBytes: number;
}
