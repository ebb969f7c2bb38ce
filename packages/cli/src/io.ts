import type { Readable, Writable } from "node:stream";

/** What a command sees of the world. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by the first ^C or SIGTERM; a command ends cleanly then. */
  readonly stop: AbortSignal;
  /** Which signal it was. */
  stoppedBy(): NodeJS.Signals | null;
}

/** Waits for ^C, or its like. */
export function stopped({ stop }: Io): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Writes for people or for machines, after `--json`. */
export class Output {
  readonly #io: Io;
  readonly json: boolean;
  readonly colour: boolean;

  constructor(io: Io, json: boolean) {
    this.#io = io;
    this.json = json;
    this.colour = wantsColour(io) && !json;
  }

  /** A line for people; nothing with `--json`. */
  line(text = ""): void {
    if (!this.json) this.#io.stdout.write(`${text}\n`);
  }

  /** An object on a line of its own; nothing without `--json`. */
  object(value: unknown): void {
    if (this.json) this.#io.stdout.write(`${toJson(value)}\n`);
  }

  /** Something on the side, for people. */
  note(text: string): void {
    if (!this.json) this.#io.stderr.write(`${text}\n`);
  }

  bold = (text: string) => this.#paint(text, 1, 22);
  dim = (text: string) => this.#paint(text, 2, 22);
  green = (text: string) => this.#paint(text, 32, 39);
  red = (text: string) => this.#paint(text, 31, 39);

  #paint(text: string, on: number, off: number): string {
    return this.colour ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }
}

/** https://no-color.org; FORCE_COLOR wins where it is set and not 0. */
export function wantsColour(io: Io): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = io.env;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0";
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return io.stdout.isTTY === true && TERM !== "dumb";
}

/** Generations are 64-bit: as text of hexadecimal digits. Bytes too. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === "bigint") return member.toString(16).padStart(16, "0");
    if (member instanceof Uint8Array) return Buffer.from(member).toString("hex");
    return member;
  });
}

/** Columns of text, the first line as a head. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
