import { connect, memoryCredential } from "@pawl/client";
import { clientId, type Epoch, nodeCrypto, STRICT } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createServer } from "@pawl/server";
import { createMemoryStore } from "@pawl/server/keys";

// A server with an application of its own: what arrives is a message of an authenticated client, what is returned goes
// back to it. Here the keys live in memory; `openSqliteStore` of "@pawl/server/keys" keeps them.
const keys = createMemoryStore();
const id = clientId(7);
const secret = systemRandom(32);
await keys.add([{ clientId: id, suite: STRICT, secret, label: "a first client" }]);

const server = createServer({
  keys,
  onMessage: (session, message) =>
    `client ${session.clientId}, you said: ${new TextDecoder().decode(message)}`,
});
server.events.on("violation", (event) => process.stderr.write(`refused: ${event.code}\n`));
const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`listening on ${host}:${port}\n`);

// A client in the same program, so that the example can be seen to work.
const credential = memoryCredential({
  suite: STRICT,
  clientId: id,
  epoch: 0 as Epoch,
  secret,
  last: new Uint8Array(16),
});
const session = await connect({ credential, host, port, crypto: nodeCrypto });
const reply = await session.request(new TextEncoder().encode("hello"));
process.stdout.write(`${new TextDecoder().decode(reply)}\n`);
await session.close();
await server.close();
