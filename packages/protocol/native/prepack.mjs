/** What `npm pack` gives carries the addon of the platform that it was packed on; N-API makes it good for every Node.js. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("build/Release/pawl.node", import.meta.url));
const prebuilds = fileURLToPath(new URL("../prebuilds/", import.meta.url));
const place = `${prebuilds}${process.platform}-${process.arch}`;

// What an earlier version left there would be taken for this one.
rmSync(place, { recursive: true, force: true });
if (existsSync(built)) {
  mkdirSync(place, { recursive: true });
  copyFileSync(built, `${place}/pawl.node`);
} else {
  process.stderr.write(
    `pawl: packed without the addon of ${process.platform}-${process.arch}, which is not built\n`,
  );
}
