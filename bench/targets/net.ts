import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { echo, framedConnection } from "./framed.ts";
import type { Target } from "./target.ts";

/** Plain TCP: what the others are compared with. */
export const net: Target = {
  serve: async () => {
    const server = createServer(echo);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port, state: null };
  },
  connect: async (port) => {
    const socket = connect({ port, host: "127.0.0.1" });
    await once(socket, "connect");
    return framedConnection(socket);
  },
};
