import type { SuiteName } from "@pawl/protocol";
import type { PacketTimes } from "./measure.ts";

/** What is asked of the process that seals and opens. */
export interface RecordCommand {
  readonly type: "packets";
  readonly provider: string;
  readonly suite: SuiteName;
  /** Of message. */
  readonly bytes: number;
  /** Of sealing and opening, milliseconds. */
  readonly ms: number;
}

export interface RecordAnswers {
  readonly packets: PacketTimes;
}
