import { once } from "node:events";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";

/** On loopback, at a port that is free. */
export async function listen(server: Server): Promise<number> {
  // A fleet that connects at once must not wait for connections that the kernel dropped.
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

export async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}
