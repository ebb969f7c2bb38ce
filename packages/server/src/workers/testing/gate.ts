import type { Server, Socket } from "node:net";
import { inTime } from "../../testing/in-time.ts";
import { listener } from "./listener.ts";

/** Where workers wait before they start, or end (`worker.ts`), until a test lets them. */
export class Gate {
  readonly port: number;
  readonly #net: Server;
  readonly #waiting: Socket[] = [];
  #onArrival: () => void = () => {};

  static async make(): Promise<Gate> {
    const { net, port } = await listener();
    return new Gate(net, port);
  }

  private constructor(net: Server, port: number) {
    this.#net = net;
    this.port = port;
    net.on("connection", (socket) => {
      socket.on("error", () => {});
      this.#waiting.push(socket.resume());
      this.#onArrival();
    });
  }

  /** Resolves when so many workers wait. */
  reached(count: number): Promise<void> {
    const all = new Promise<void>((resolve) => {
      this.#onArrival = () => {
        if (this.#waiting.length >= count) resolve();
      };
      this.#onArrival();
    });
    return inTime(`${count} workers at the gate`, all, () => String(this.#waiting.length));
  }

  /** Resolves when those that wait have gone, without having been let through. */
  async left(): Promise<void> {
    const all = Promise.all(
      this.#waiting.map((socket) => new Promise((resolve) => socket.once("close", resolve))),
    );
    await inTime("the workers to leave the gate", all, () => String(this.#waiting.length));
  }

  open(): void {
    this.#net.close();
    for (const socket of this.#waiting) socket.destroy();
  }
}
