import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { getHeapStatistics } from "node:v8";
import { TARGETS } from "@pawl/bench/targets";
import { defaultCrypto, nodeCrypto } from "@pawl/protocol";

/**
 * One side of the round trips, in a process of its own: `server`, or `client PORT`. It obeys the lines of its input: `trips N` of a
 * client, and `mark`, which is answered by what its heap has.
 */

const MESSAGE_BYTES = 64;

const [role, port] = process.argv.slice(2);
const target = await TARGETS[`pawl-strict-${defaultCrypto() === nodeCrypto ? "node" : "native"}`]();
const say = (value: unknown) => writeSync(1, `${JSON.stringify(value)}\n`);

if (role === "server") say({ port: await target.serve({ application: "echo", clients: 1, folder: null }) });
const dial = role === "client" ? await target.dialer(Number(port), 1) : null;
const connection = dial === null ? null : await dial(0);
if (connection !== null) say({});
const message = new Uint8Array(MESSAGE_BYTES).fill(0xa5);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, count] = line.split(" ");
  if (command === "trips" && connection !== null) {
    for (let i = Number(count); i > 0; i--) {
      const answer = await connection.roundTrip(message);
      if (answer.length !== MESSAGE_BYTES) throw new Error("a wrong answer");
    }
    say({});
  } else {
    say({ heapBytes: getHeapStatistics().used_heap_size, externalBytes: process.memoryUsage().external });
  }
}
process.exit(0);
