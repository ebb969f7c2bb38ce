#!/usr/bin/env node
// Stands in the repository, so that npm can link the command before it is built.
import { existsSync } from "node:fs";

const main = new URL("../dist/main.js", import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write("pawl: not built yet; run npm run build\n");
  process.exitCode = 1;
}
