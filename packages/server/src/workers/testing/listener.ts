import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/** A server on a port of loopback that nobody else had. */
export async function listener(): Promise<{ readonly net: Server; readonly port: number }> {
  const net = createServer().listen(0, "127.0.0.1");
  await once(net, "listening");
  // It listens on a port, not on a pipe.
  return { net, port: (net.address() as AddressInfo).port };
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const { net, port } = await listener();
  net.close();
  return port;
}
