import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { runMatrix } from "./matrix.ts";
import { MUTANTS } from "./mutants.ts";
import { complaintsOf, linesOf, markdownOf } from "./report.ts";

/** Breaks the protocol in every way that is listed, and lets the lab's attacks find out. */

const USAGE = `usage: npm run mutants -- [--only ID]... [--attack ID]... [--suite strict] [--quick] [--lanes 2] [--out F.md] [--json]

--only    these mutants (of all: ${MUTANTS.length})
--attack  these attacks
--suite   the mutants of this suite
--quick   tries a mutant with the attacks on what it breaks, not with all (as the tests do)
--lanes   mutants that are tried at once
--out     writes the matrix as Markdown
--json    the matrix as one object
--list    the mutants and what is wrong with each
`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    attack: { type: "string", multiple: true },
    suite: { type: "string" },
    quick: { type: "boolean", default: false },
    lanes: { type: "string", default: "2" },
    out: { type: "string" },
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (values.list) {
  for (const { id, wrong } of MUTANTS) process.stdout.write(`${id.padEnd(30)} ${wrong}\n`);
  process.exit(0);
}
const lanes = Number(values.lanes);
if (!Number.isInteger(lanes) || lanes < 1)
  refuse(`--lanes: expected an integer from 1, found ${values.lanes}`);
for (const id of values.only ?? [])
  if (!MUTANTS.some((mutant) => mutant.id === id)) refuse(`--only: there is no mutant ${id} (see --list)`);
const mutants = MUTANTS.filter(
  ({ id, suite = "strict" }) => (values.only?.includes(id) ?? true) && (values.suite ?? suite) === suite,
);
if (mutants.length === 0) refuse("no mutant is left");

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const terminal = process.stderr.isTTY === true;
const matrix = await runMatrix({
  mutants,
  signal: stop.signal,
  everything: !values.quick,
  lanes,
  ...(values.attack === undefined ? {} : { attacks: values.attack }),
  onTrial: ({ mutant }, done, of) => {
    if (terminal) process.stderr.write(`\r\u001b[K${done} of ${of}: ${mutant?.id ?? "no mistake"}`);
  },
}).catch((error: unknown) => {
  process.stderr.write(
    `${stop.signal.aborted ? "stopped" : error instanceof Error ? error.message : error}\n`,
  );
  process.exit(stop.signal.aborted ? 130 : 1);
});
if (terminal) process.stderr.write("\r\u001b[K");
if (values.out !== undefined) await writeFile(values.out, markdownOf(matrix));
process.stdout.write(`${values.json ? JSON.stringify(matrix) : linesOf(matrix).join("\n")}\n`);
process.exitCode = complaintsOf(matrix).length > 0 ? 1 : 0;
