import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Both ends of a connection over loopback; either may close its half. */
export interface SocketPair {
  readonly client: Socket;
  readonly accepted: Socket;
  /** Ends both at once. */
  done(): void;
}

export async function socketPair(): Promise<SocketPair> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const [[accepted]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [
    [Socket],
    unknown[],
  ];
  server.close();
  return {
    client,
    accepted,
    done: () => {
      client.destroy();
      accepted.destroy();
    },
  };
}
