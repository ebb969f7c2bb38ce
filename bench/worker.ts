import { TARGETS } from "./targets/index.ts";

/**
 * One side of a measurement, in a process of its own: `server TARGET CLIENTS`, or `client TARGET CLIENTS PORT STATE`.
 * The client obeys the lines of its input, `SIZE MILLISECONDS`, and answers each with a line of JSON.
 */

const [role, name = "", clientsText = "1", portText = "0", state = "null"] = process.argv.slice(2);
const target = TARGETS[name];
if (target === undefined) throw new Error(`no target is called ${name}`);
const clients = Number(clientsText);
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

// The parent is gone, or done with us.
process.stdin.on("end", () => process.exit(0));

if (role === "server") {
  say(await target.serve(clients));
  process.stdin.resume();
} else {
  const connections = await Promise.all(
    Array.from({ length: clients }, (_, index) => target.connect(Number(portText), index, JSON.parse(state))),
  );
  say({ connected: connections.length });
  process.stdin.setEncoding("utf8");
  for await (const line of process.stdin) {
    const [size = 64, ms = 1_000] = String(line).trim().split(" ").map(Number);
    say(await measure(connections, size, ms));
  }
}

/** Every connection in lock-step for `ms`; each answer is checked, so that a broken peer cannot look fast. */
async function measure(
  connections: Awaited<ReturnType<(typeof TARGETS)[string]["connect"]>>[],
  size: number,
  ms: number,
) {
  const message = Uint8Array.from({ length: size }, (_, index) => index);
  const until = performance.now() + ms;
  const started = performance.now();
  const counts = await Promise.all(
    connections.map(async (connection, index) => {
      let count = 0;
      while (performance.now() < until) {
        message[0] = index;
        const answer = await connection.roundTrip(message);
        if (answer.length !== size || answer[size - 1] !== ((size - 1) & 0xff))
          throw new Error("a wrong answer");
        count++;
      }
      return count;
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  return { roundTrips: counts.reduce((sum, count) => sum + count, 0), seconds };
}
