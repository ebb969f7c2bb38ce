import type { FileHandle } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Disk, DiskCall } from "./disk-model.ts";

type Files = typeof import("node:fs/promises");

/** Stands in for `node:fs/promises`, passes everything on, and keeps what changes one folder while it records. */
export class Recorder {
  readonly calls: DiskCall[] = [];
  #folder: string | null = null;
  readonly #inodes = new Map<string, number>();
  #last = 0;

  /** @param initial what is in `folder`, and durable */
  start(folder: string, initial: Disk): void {
    this.#folder = folder;
    for (const [index, name] of [...initial.keys()].entries()) this.#inodes.set(name, -1 - index);
  }

  stop(): void {
    this.#folder = null;
  }

  wrap(files: Files): Files {
    const open: Files["open"] = async (path, flags, mode) => {
      const handle = await files.open(path, flags, mode);
      if (this.#folder === null) return handle;
      if (String(path) === this.#folder) return this.#wrapFolder(handle);
      return this.#nameOf(path) === null ? handle : this.#wrapFile(handle, this.#opened(String(path)));
    };
    const rename: Files["rename"] = async (from, to) => {
      await files.rename(from, to);
      const [name, into] = [this.#nameOf(from), this.#nameOf(to)];
      if (name === null || into === null) return;
      const inode = this.#inodes.get(name) ?? 0;
      this.#inodes.delete(name);
      this.#inodes.set(into, inode);
      this.calls.push({ type: "rename", inode, from: name, to: into });
    };
    const link: Files["link"] = async (from, to) => {
      await files.link(from, to);
      const [name, into] = [this.#nameOf(from), this.#nameOf(to)];
      if (name === null || into === null) return;
      const inode = this.#inodes.get(name) ?? 0;
      this.#inodes.set(into, inode);
      this.calls.push({ type: "name", inode, name: into });
    };
    const unlink: Files["unlink"] = async (path) => {
      await files.unlink(path);
      const name = this.#nameOf(path);
      if (name === null) return;
      this.#inodes.delete(name);
      this.calls.push({ type: "unlink", name });
    };
    return { ...files, open, rename, link, unlink };
  }

  #nameOf(path: unknown): string | null {
    return this.#folder !== null && dirname(String(path)) === this.#folder ? basename(String(path)) : null;
  }

  #opened(path: string): number {
    const name = basename(path);
    const known = this.#inodes.get(name);
    if (known !== undefined) return known;
    const inode = ++this.#last;
    this.#inodes.set(name, inode);
    this.calls.push({ type: "name", inode, name });
    return inode;
  }

  #wrapFolder(handle: FileHandle): FileHandle {
    return overridden(handle, {
      sync: async () => {
        await handle.sync();
        this.calls.push({ type: "sync-folder" });
      },
    });
  }

  #wrapFile(handle: FileHandle, inode: number): FileHandle {
    return overridden(handle, {
      sync: async () => {
        await handle.sync();
        this.calls.push({ type: "sync", inode });
      },
      truncate: async (length = 0) => {
        await handle.truncate(length);
        this.calls.push({ type: "truncate", inode, length });
      },
      writeFile: async (data) => {
        await handle.writeFile(data);
        this.calls.push({ type: "write", inode, at: 0, bytes: Buffer.from(data as string | Uint8Array) });
      },
      // Of its overloads the one that is used here.
      write: (async (bytes: Uint8Array, offset: number, length: number, at: number) => {
        const written = await handle.write(bytes, offset, length, at);
        // A copy: the caller overwrites its buffer.
        this.calls.push({
          type: "write",
          inode,
          at,
          bytes: Uint8Array.from(bytes.subarray(offset, offset + length)),
        });
        return written;
      }) as FileHandle["write"],
    });
  }
}

function overridden(handle: FileHandle, methods: Partial<FileHandle>): FileHandle {
  return new Proxy(handle, {
    get: (target, name) => {
      const own: unknown = Reflect.get(methods, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
