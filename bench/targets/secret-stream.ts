import { createServer } from "node:net";
import SecretStream from "@hyperswarm/secret-stream";
import { connectionOf, connectTo, echo, listen, type MessagePipe, type Target } from "@pawl/bench/targets";

/** Noise XX, then libsodium's secretstream (XChaCha20-Poly1305) in native code. It knows messages: nothing is put before them. */
export const secretStream: Target = {
  applications: ["echo"],
  serve: () => {
    // Whoever listens has an identity and keeps it, and so has whoever connects.
    const keyPair = SecretStream.keyPair();
    return listen(
      createServer({ noDelay: true }, (socket) => echo(pipeOf(new SecretStream(false, socket, { keyPair })))),
    );
  },
  dialer: async (port) => {
    const keyPair = SecretStream.keyPair();
    return async () => {
      const stream = new SecretStream(true, await connectTo(port), { keyPair });
      const pipe = pipeOf(stream);
      if (!(await stream.opened)) throw new Error("the handshake failed");
      return connectionOf(pipe);
    };
  },
};

function pipeOf(stream: SecretStream): MessagePipe {
  stream.on("error", () => stream.destroy());
  return {
    send: (message) => stream.write(message),
    onMessage: (take) => stream.on("data", take),
    onEnd: (ended) => stream.on("close", ended),
    close: () => stream.destroy(),
  };
}
