/**
 * Builds the addon where this machine can: with a compiler, and the headers that the running Node.js came with. It downloads
 * nothing and never fails an install, since everything works without the addon, only slower. `npm ci` runs it.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));

/** The folder that has `include/node`: where Node.js was installed to, unless npm was told another. */
function nodeDirectory() {
  const candidates = [process.env.npm_config_nodedir, dirname(dirname(process.execPath))];
  return candidates.find((path) => path !== undefined && existsSync(join(path, "include/node/node_api.h")));
}

function nodeGyp() {
  try {
    return createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  } catch {
    return undefined;
  }
}

/** The line of the output that names the trouble. */
function troubleIn(output) {
  const lines = output.split("\n").map((line) => line.replace(/^gyp ERR! (stack )?/, "").trim());
  return lines.find((line) => /error: |not found|no such file/i.test(line)) ?? "node-gyp failed";
}

/** Undefined where the addon was built, else why not. */
function build() {
  const gyp = nodeGyp();
  if (gyp === undefined) return "node-gyp is not installed";
  const nodeDir = nodeDirectory();
  if (nodeDir === undefined) return `no headers beside ${process.execPath}`;
  const args = [gyp, "rebuild", "--directory", folder, `--nodedir=${nodeDir}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return status === 0 ? undefined : troubleIn(`${stderr}\n${stdout}`);
}

const trouble = build();
if (trouble !== undefined) {
  process.stderr.write(`pawl: no native record layer, the one on node:crypto is used: ${trouble}\n`);
}
