import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { systemClock } from "@pawl/protocol/driver";
import { Flow } from "./flow.ts";
import { observe } from "./observed.ts";
import type { EndOfStream, Recording } from "./recording.ts";
import { reset } from "./reset.ts";

/** A connection that the attacker opens to a server himself: bytes out by hand, and all that comes back recorded. */
export class AttackerConnection {
  readonly id: number;
  readonly recording: Recording;
  /** His own port. */
  readonly port: number;
  readonly socket: Socket;
  #frames = 0;

  private constructor(recording: Recording, socket: Socket) {
    this.id = recording.connection();
    this.recording = recording;
    this.socket = socket;
    this.port = socket.localPort ?? 0;
    recording.add({
      kind: "open",
      connection: this.id,
      client: "attacker",
      server: "victim",
      port: this.port,
    });
    new Flow(socket, null, systemClock, {
      onFrame: (bytes) => {
        const frame = observe(this.id, ++this.#frames, "s2c", bytes);
        recording.add({ kind: "seen", ...frame, did: "received" });
      },
      onUnread: (bytes) => recording.add({ kind: "unread", connection: this.id, direction: "s2c", bytes }),
      onEnd: (how) => recording.add({ kind: "end", connection: this.id, side: "server", how, by: "victim" }),
    });
  }

  /** @param options.localAddress where he comes from @throws the socket's error where nobody listens */
  static async open(
    recording: Recording,
    at: { readonly host: string; readonly port: number },
    options: { readonly localAddress?: string } = {},
  ): Promise<AttackerConnection> {
    const socket = connect({ ...at, ...options, allowHalfOpen: true, noDelay: true });
    await once(socket, "connect");
    return new AttackerConnection(recording, socket);
  }

  /** @param note what it is, in a few words */
  send(bytes: Uint8Array, note: string): void {
    if (!this.socket.writable) {
      this.recording.note(`too late to be sent, the stream is closed: ${note}`, this.id);
      return;
    }
    this.recording.add({ kind: "sent", connection: this.id, direction: "c2s", bytes, of: null, note });
    this.socket.write(bytes);
  }

  /** Ends his stream: in order (FIN), or at once (RST). */
  end(how: EndOfStream): void {
    if (this.socket.destroyed) return;
    if (this.socket.writable) {
      this.recording.add({ kind: "end", connection: this.id, side: "client", how, by: "attacker" });
    }
    if (how === "rst") reset(this.socket);
    else this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
