import type { Duplex } from "node:stream";

/** The file descriptors at which a worker finds its ends: of the channel, and of the stream of its commits. */
export const CHANNEL_FD = 3;
export const COMMITS_FD = 4;

/**
 * Messages between a primary and a worker over a stream, in order: a line of JSON for what one turn of the event loop has
 * to say. Not the channel that Node.js gives to child processes, in which every message waits behind the handles on their way.
 */
export class Channel<Out, In> {
  readonly #stream: Duplex;
  #outbox: Out[] = [];
  /** Parts of a line whose end has not come. */
  #partial: string[] = [];

  /** @param onClosed the other side is gone, or has ended it */
  constructor(stream: Duplex, onMessage: (message: In) => void, onClosed: () => void) {
    this.#stream = stream;
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#receive(text, onMessage));
    // An error is followed by `close`: the other process was killed while something was on its way to it.
    stream.on("error", () => {});
    stream.on("close", onClosed);
  }

  send(message: Out): void {
    if (this.#outbox.push(message) === 1) setImmediate(() => this.#flush());
  }

  /** Sends what waits, and no more. Resolves when the system has it. */
  end(): Promise<void> {
    this.#flush();
    return new Promise((resolve) => {
      this.#stream.once("close", resolve);
      this.#stream.end(resolve);
    });
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    const line = JSON.stringify(this.#outbox);
    this.#outbox = [];
    if (this.#stream.writable) this.#stream.write(`${line}\n`);
  }

  #receive(text: string, onMessage: (message: In) => void): void {
    let from = 0;
    for (;;) {
      const end = text.indexOf("\n", from);
      if (end < 0) break;
      const line = this.#partial.join("") + text.slice(from, end);
      this.#partial = [];
      from = end + 1;
      // Both ends are of one build: what comes is what `send` took.
      for (const message of JSON.parse(line) as In[]) onMessage(message);
    }
    if (from < text.length) this.#partial.push(text.slice(from));
  }
}
