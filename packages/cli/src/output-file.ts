import { type FileHandle, open, rename, stat, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { syncFolder } from "@pawl/protocol/driver";
import { CommandError } from "./exit.ts";
import type { Io } from "./io.ts";

/** A file that a command writes at its end: there whole, or not at all. What was there before stays until then. */
export class OutputFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #done = false;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** Before the work, so that a folder that cannot be written shows at once. @throws CommandError */
  static async open(name: string, io: Io): Promise<OutputFile> {
    const path = resolve(io.cwd, name);
    const there = await stat(path).catch(() => null);
    if (there?.isDirectory() === true) throw new CommandError(`${path} is a folder; name a file in it`);
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      return new OutputFile(path, temporary, await open(temporary, "wx"));
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new CommandError(`${path} cannot be written (${code}); check its folder`, { cause });
    }
  }

  /** @throws CommandError */
  async write(contents: string | Uint8Array): Promise<void> {
    try {
      await this.#handle.writeFile(contents);
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#temporary, this.path);
      this.#done = true;
      await syncFolder(dirname(this.path));
    } catch (cause) {
      await this.discard();
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new CommandError(`${this.path} was not written (${code ?? message})`, { cause });
    }
  }

  /** Nothing is written. After `write` there is nothing to discard. */
  async discard(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#handle.close().catch(() => {});
    await unlink(this.#temporary).catch(() => {});
  }
}
