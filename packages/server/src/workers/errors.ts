import { LocalError } from "@pawl/protocol";

/** A worker did not start. */
export class WorkerStartError extends LocalError {
  readonly code = "PAWL_WORKER_START";
  readonly worker: number;

  constructor(worker: number, reason: string) {
    super(`worker ${worker} did not start: ${reason}`);
    this.worker = worker;
  }
}
