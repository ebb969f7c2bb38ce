import { LocalError } from "@pawl/protocol";

/** A setting of `createServer` that cannot be. */
export class OptionError extends LocalError {
  readonly code = "PAWL_OPTION";
  readonly option: string;

  constructor(option: string, expected: string, found: unknown) {
    super(`${option}: expected ${expected}, found ${String(found)}`);
    this.option = option;
  }
}

/** The address cannot be listened on. */
export class ListenError extends LocalError {
  readonly code = "PAWL_LISTEN";
  /** The system's word for it: `EADDRINUSE`, … */
  readonly reason: string;

  constructor(host: string, port: number, reason: string) {
    super(`cannot listen on ${host}:${port}: ${LISTEN_HINTS[reason] ?? reason}`);
    this.reason = reason;
  }
}

const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; choose another one, or end the program that has it",
  EACCES: "the port needs rights that this process does not have; choose one above 1023",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no host of that name",
};
