import { setTimeout as sleep } from "node:timers/promises";
import { connectWithBackoff } from "@pawl/client";

// A device that sends a reading every so often, and keeps its credential in a file that the library moves forward.
// Usage: sensor-client.ts CREDENTIAL HOST PORT [READINGS] [MILLISECONDS BETWEEN THEM]
const [credential, host, port, readings = "5", pause = "1000"] = process.argv.slice(2);
if (credential === undefined || host === undefined || port === undefined) {
  process.stderr.write("usage: sensor-client.ts CREDENTIAL HOST PORT [READINGS] [MILLISECONDS]\n");
  process.exit(2);
}

const client = connectWithBackoff({
  credential,
  host,
  port: Number(port),
  onRetry: (error, waitMs, hint) => {
    process.stderr.write(`${error.message}; again in ${waitMs} ms${hint === null ? "" : ` (${hint})`}\n`);
  },
});

let failed = false;
for (let i = 0; i < Number(readings); i++) {
  const reading = (20 + Math.sin(i)).toFixed(2);
  try {
    const { round, value, aggregate, contributors } = await client.send(reading);
    process.stdout.write(`round ${round}: sent ${value}, product ${aggregate} of ${contributors}\n`);
  } catch (error) {
    // A reading that may have counted is not sent again: counted twice is worse than missed here.
    if (!(error instanceof Error && "mayHaveCounted" in error && error.mayHaveCounted === true)) {
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
      failed = true;
      break;
    }
  }
  await sleep(Number(pause));
}
await client.close();
process.exitCode = failed ? 1 : 0;
