import { once } from "node:events";
import { connect, createSecureContext, createServer, type SecureContext } from "node:tls";
import { socketPipe } from "./framed.ts";
import { listen } from "./listen.ts";
import { connectionOf, echo } from "./pipe.ts";
import type { Dial, Target } from "./target.ts";

const PSK = Buffer.alloc(16, 7);
const IDENTITY = "bench";

/** TLS 1.2 with a pre-shared key, of the OpenSSL inside Node. @param cipher in OpenSSL's words */
export function tlsPsk(cipher: string): Target {
  const common = {
    ciphers: `${cipher}:@SECLEVEL=0`,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
  } as const;
  return {
    applications: ["echo"],
    unavailable: () => {
      try {
        createSecureContext(common);
        return null;
      } catch {
        return `the OpenSSL of this Node.js has no ${cipher}`;
      }
    },
    serve: () => {
      const psk = { pskCallback: () => PSK, pskIdentityHint: "bench" };
      const server = createServer({ ...common, ...psk }, (socket) => echo(socketPipe(socket)));
      server.on("tlsClientError", (error) => process.stderr.write(`${error.message}\n`));
      return listen(server);
    },
    dialer: async (port) => dialer(port, cipher, createSecureContext(common)),
  };
}

/** All clients have one context, as those of a process would: to make one takes a sixth of a handshake. */
function dialer(port: number, cipher: string, secureContext: SecureContext): Dial {
  return async () => {
    const socket = connect({
      secureContext,
      port,
      host: "127.0.0.1",
      pskCallback: () => ({ psk: PSK, identity: IDENTITY }),
      checkServerIdentity: () => undefined,
    });
    await once(socket, "secureConnect");
    // A handshake that fell back to another cipher would measure something else.
    const { standardName } = socket.getCipher();
    const expected = cipher.replaceAll("-", "_").replace("PSK_AES128", "TLS_PSK_WITH_AES_128");
    if (standardName !== expected) throw new Error(`the connection uses ${standardName}, not ${expected}`);
    return connectionOf(socketPipe(socket));
  };
}
