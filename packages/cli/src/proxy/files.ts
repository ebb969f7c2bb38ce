import { appendFileSync, closeSync, openSync, readFileSync } from "node:fs";
import { type Entry, entryLine, headLine, PcapWriter, Recording } from "@pawl/lab";
import { CommandError } from "../exit.ts";

/** Reads a recording that an earlier run wrote. @throws RangeError that says what is wrong with the file */
export function readRecording(path: string): Recording {
  try {
    return Recording.fromLines(readFileSync(path, "utf8").split("\n"));
  } catch (error) {
    throw new RangeError(`${path}: ${reasonOf(error)}`);
  }
}

/** A file that is written as things happen, so that it is whole whenever the process ends. */
export class GrowingFile {
  readonly #path: string;
  readonly #fd: number;

  /** @throws CommandError */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, "w");
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** @throws CommandError */
  append(data: string | Uint8Array): void {
    try {
      appendFileSync(this.#fd, data);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #failure(error: unknown): CommandError {
    return new CommandError(`${this.#path} cannot be written: ${reasonOf(error)}`);
  }
}

/** Writes each entry as a line. */
export function writeLines(file: GrowingFile, { startedAt }: Recording): (entry: Entry) => void {
  file.append(`${headLine(startedAt)}\n`);
  return (entry) => file.append(`${entryLine(entry)}\n`);
}

/** Writes each entry as packets. */
export function writePackets(
  file: GrowingFile,
  name: string,
  { startedAt }: Recording,
): (entry: Entry) => void {
  return new PcapWriter((block) => file.append(block)).begin(name, startedAt);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? error.message;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "that is not allowed",
  EISDIR: "it is a folder",
  ENOSPC: "the disk is full",
};
