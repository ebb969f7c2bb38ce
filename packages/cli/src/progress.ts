import { SingleBar } from "cli-progress";
import type { Io, Output } from "./io.ts";

export interface Progress {
  update(done: number): void;
  stop(): void;
}

const SILENT: Progress = { update: () => {}, stop: () => {} };

/** A bar on stderr where that is a terminal, nothing elsewhere. */
export function progressBar(io: Io, out: Output, what: string, total: number): Progress {
  if (out.json || io.stderr.isTTY !== true) return SILENT;
  const bar = new SingleBar({
    format: `${what} {bar} {value}/{total}, {eta_formatted} left`,
    stream: io.stderr as NodeJS.WriteStream,
  });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}
