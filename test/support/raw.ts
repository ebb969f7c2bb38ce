import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fromHex, toHex } from "@pawl/protocol";

/** A connection by hand: bytes out, and all that comes back until it closes. */
export class RawConnection {
  readonly socket: Socket;
  readonly #received: Buffer[] = [];
  readonly #closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#received.push(chunk));
    socket.on("error", () => {});
    // `once` would reject at an error that comes before.
    this.#closed = new Promise((resolve) => socket.once("close", resolve));
  }

  static async open(port: number, host = "127.0.0.1"): Promise<RawConnection> {
    const socket = connect({ port, host });
    socket.setNoDelay(true);
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === "string" ? fromHex(bytes) : bytes);
  }

  /** All bytes so far. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Waits for `count` bytes in all. */
  async bytes(count: number): Promise<Buffer> {
    while (this.received.length < count) {
      if (this.socket.destroyed) throw new Error(`closed after ${this.received.length} of ${count} bytes`);
      await Promise.race([once(this.socket, "data"), this.#closed]);
    }
    return this.received;
  }

  /** Waits for one more frame, with its length. */
  async frame(): Promise<Uint8Array> {
    const at = this.#framesRead;
    const head = await this.bytes(at + 4);
    const length = head.readUInt32BE(at);
    const all = await this.bytes(at + 4 + length);
    this.#framesRead = at + 4 + length;
    return new Uint8Array(all.subarray(at, at + 4 + length));
  }
  #framesRead = 0;

  /** Waits until the other side has closed; what it sent all together, in hex. */
  async closed(): Promise<string> {
    await this.#closed;
    return toHex(this.received);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
