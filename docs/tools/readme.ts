import { readFileSync } from "node:fs";
import { CELLS, type Result } from "@pawl/bench";
import { describe, type MachineWithPeers } from "../../bench/report/machine.ts";
import { LEGEND, tableOf } from "../../bench/report/markdown.ts";
import type { GeneratedDocument } from "./markers.ts";

/** What README.md quotes of the last whole run of the bench. */

const RUN = new URL("../../bench/results/bench.json", import.meta.url);
/** The rows that it quotes; the others are in bench/results/bench.md. */
const QUOTED = [
  "rtt-100-64",
  "rtt-100-1024",
  "rtt-100-16384",
  "p50-1-64",
  "handshake",
  "rounds-100",
  "idle-memory",
];

interface Run {
  readonly date: string;
  readonly machine: MachineWithPeers;
  readonly results: readonly Result[];
}

function benchTable(): string {
  const { date, machine, results } = JSON.parse(readFileSync(RUN, "utf8")) as Run;
  const cells = CELLS.filter(({ name }) => QUOTED.includes(name));
  return `${date}, ${describe(machine)} ${LEGEND}\n\n${tableOf(results, cells)}`;
}

export const readme: GeneratedDocument = {
  file: new URL("../../README.md", import.meta.url),
  parts: { bench: benchTable },
};
