import { createServer } from "@pawl/server";
import { openSqliteStore, readDbKeyFile } from "@pawl/server/keys";

// A server with rounds of its own making: nobody waits longer than 250 ms for the others, and the sum and the extremes are
// reported beside the product. Usage: rounds-server.ts HOME [PORT]; make HOME with `pawl init` and `pawl keys add`.
const [home = "pawl", port = "7433"] = process.argv.slice(2);
const keys = await openSqliteStore({
  path: `${home}/keys.db`,
  dbKeys: () => readDbKeyFile(`${home}/db.key`),
});

const server = createServer({
  keys,
  rounds: { policy: "barrier", deadlineMs: 250, aggregates: ["product", "sum", "min", "max"] },
});

server.events.on("round", ({ round, contributors, aggregate }) => {
  process.stdout.write(`round ${round}: ${contributors} clients, product ${aggregate}\n`);
});
server.events.on("violation", ({ code, remoteAddress }) => {
  process.stdout.write(`refused ${remoteAddress}: ${code}\n`);
});

const address = await server.listen({ host: "127.0.0.1", port: Number(port) });
process.stdout.write(`listening on ${address.host}:${address.port}\n`);

const stop = async () => {
  await server.close();
  await keys.close();
};
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
