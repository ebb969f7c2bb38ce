import { SingleBar } from "cli-progress";
import { InterruptedError } from "./exit.ts";
import type { Io, Output } from "./io.ts";

export interface Progress {
  /** @throws InterruptedError after ^C: what is under way is taken back, or may be taken up again */
  update(done: number): void;
  stop(): void;
}

/** A bar on stderr where that is a terminal; elsewhere only an ear for ^C. */
export function progressBar(io: Io, out: Output, what: string, total: number): Progress {
  const bar = !out.json && io.stderr.isTTY === true && total > 1 ? barOn(io, what) : null;
  bar?.start(total, 0);
  return {
    update: (done) => {
      if (io.stop.aborted) throw new InterruptedError();
      bar?.update(done);
    },
    stop: () => bar?.stop(),
  };
}

function barOn(io: Io, what: string): SingleBar {
  return new SingleBar({
    format: `${what} {bar} {value}/{total}, {eta_formatted} left`,
    stream: io.stderr as NodeJS.WriteStream,
  });
}
