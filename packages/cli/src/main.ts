import { run } from "./run.ts";

// The first ^C or SIGTERM asks the command to end cleanly; the second ends the process.
const stop = new AbortController();
let stoppedBy: NodeJS.Signals | null = null;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (stoppedBy !== null) process.exit(130);
    stoppedBy = signal;
    stop.abort();
  });
}

// Whoever reads our output may stop early (`| head`): that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  stop: stop.signal,
  stoppedBy: () => stoppedBy,
});
