import { ConnectError, HandshakeTimeoutError } from "@pawl/client";
import { PawlError, ProtocolError } from "@pawl/protocol";

/** What a process ends with. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  violation: 3,
  unreachable: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Wrong usage: flags, arguments, variables. The message says what was expected. */
export class UsageError extends PawlError {
  readonly code = "PAWL_USAGE";
}

/** A command that cannot go on, with a message that says what to do. */
export class CommandError extends PawlError {
  readonly code = "PAWL_COMMAND";
}

/** ^C, or its like. */
export class InterruptedError extends PawlError {
  readonly code = "PAWL_INTERRUPTED";

  constructor() {
    super("interrupted");
  }
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  if (error instanceof ProtocolError) return EXIT.violation;
  if (error instanceof Error && error.cause instanceof ProtocolError && "mayHaveCounted" in error)
    return EXIT.violation;
  if (error instanceof ConnectError) return error.reason === "ABORTED" ? EXIT.interrupted : EXIT.unreachable;
  if (error instanceof HandshakeTimeoutError) return EXIT.unreachable;
  return EXIT.failed;
}

/** One line for stderr. Never a stack: what is not foreseen is told as it is. */
export function lineOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s*\n\s*/g, " ").trim();
}
