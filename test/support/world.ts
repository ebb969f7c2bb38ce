import { PassThrough } from "node:stream";
import type { Io } from "../../packages/cli/src/io.ts";
import { run } from "../../packages/cli/src/run.ts";

/** A world of streams; `stop` is ^C. */
export function worldIn(cwd: string, input = "", env: Record<string, string> = {}) {
  const controller = new AbortController();
  const stdin = new PassThrough();
  stdin.end(input);
  const collect = () => {
    const stream = new PassThrough();
    let text = "";
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    return { stream, text: () => text };
  };
  const [out, err] = [collect(), collect()];
  let stoppedBy: NodeJS.Signals | null = null;
  const io: Io = {
    stdin,
    stdout: out.stream,
    stderr: err.stream,
    env,
    cwd,
    stop: controller.signal,
    stoppedBy: () => stoppedBy,
  };
  return {
    io,
    stdout: out.text,
    stderr: err.text,
    stop: (signal: NodeJS.Signals) => {
      stoppedBy = signal;
      controller.abort();
    },
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command line in this process, in the folder `cwd`. */
export async function pawlIn(
  cwd: string,
  argv: readonly string[],
  { input = "", env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const { io, stdout, stderr } = worldIn(cwd, input, env);
  const code = await run(argv, io);
  return { code, stdout: stdout(), stderr: stderr() };
}
