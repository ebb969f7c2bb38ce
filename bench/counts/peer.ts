import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { getHeapStatistics } from "node:v8";
import { STRICT } from "@pawl/protocol";
import { pawl } from "../targets/pawl.ts";

/**
 * One side of the round trips, in a process of its own: `server`, or `client PORT`. It obeys the lines of its input: `trips N` of a
 * client, and `mark`, which is answered by what its heap has.
 */

const MESSAGE_BYTES = 64;

const [role, port] = process.argv.slice(2);
const target = pawl(STRICT);
const say = (value: unknown) => writeSync(1, `${JSON.stringify(value)}\n`);

if (role === "server") say(await target.serve(1));
const connection = role === "client" ? await target.connect(Number(port), 0, null) : null;
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
