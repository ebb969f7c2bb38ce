import { readFileSync, writeFileSync } from "node:fs";
import { CLIENT_TRANSITIONS, SERVER_TRANSITIONS } from "@pawl/protocol";

/**
 * Writes the state diagrams and tables of docs/PROTOCOL.md from the tables of transitions, between their markers
 * (`npm run docs`). A test compares, so that the specification cannot fall behind the code.
 */

interface Move {
  readonly next: readonly string[];
  readonly strictOnly: boolean;
}
type Rows = Readonly<
  Record<string, { readonly awaits: boolean; readonly on: Readonly<Partial<Record<string, Move>>> }>
>;

export const SPECIFICATION = new URL("../PROTOCOL.md", import.meta.url);
const PACKETS = new Set(["HELLO", "CHALLENGE", "DATA", "AGGREGATE", "TERMINATE"]);
/** Moves that every state has alike, said once in the text instead of drawn from each. */
const EVERYWHERE = new Set(["abort", "frame-error", "end-of-stream"]);

const node = (state: string) => state.replaceAll("-", "_");
const label = (trigger: string) => (PACKETS.has(trigger) ? `receives ${trigger}` : trigger);

export function diagram(rows: Rows, start: string): string {
  const lines = ["```mermaid", "stateDiagram-v2", `  [*] --> ${node(start)}`];
  for (const state of Object.keys(rows)) lines.push(`  state "${state}" as ${node(state)}`);
  for (const [state, row] of Object.entries(rows)) {
    if (state === "ended" || state === "terminated") continue;
    const byPair = new Map<string, string[]>();
    for (const [trigger, move] of Object.entries(row.on)) {
      if (move === undefined || EVERYWHERE.has(trigger)) continue;
      for (const next of move.next) {
        if (next === state) continue;
        byPair.set(next, [...(byPair.get(next) ?? []), label(trigger)]);
      }
    }
    for (const [next, triggers] of byPair)
      lines.push(`  ${node(state)} --> ${node(next)} : ${triggers.join(", ")}`);
  }
  lines.push("  terminated --> [*]", "  ended --> [*]", "```");
  return lines.join("\n");
}

export function table(rows: Rows): string {
  const lines = ["| state | trigger | leads to |", "|---|---|---|"];
  for (const [state, row] of Object.entries(rows)) {
    for (const [trigger, move] of Object.entries(row.on)) {
      if (move === undefined) continue;
      const strict = move.strictOnly ? " (not in classic)" : "";
      lines.push(
        `| ${state}${row.awaits ? " (awaits)" : ""} | ${label(trigger)}${strict} | ${move.next.join(", ")} |`,
      );
    }
  }
  return lines.join("\n");
}

const PARTS: Record<string, () => string> = {
  client: () => `${diagram(CLIENT_TRANSITIONS, "idle")}\n\n${table(CLIENT_TRANSITIONS)}`,
  server: () => `${diagram(SERVER_TRANSITIONS, "wait-hello")}\n\n${table(SERVER_TRANSITIONS)}`,
};

/** The text with what stands between the markers made anew. @throws Error where a marker is missing */
export function fillMarkers(text: string): string {
  let out = text;
  for (const [role, make] of Object.entries(PARTS)) {
    const [start, end] = [`<!-- transitions:${role}:start -->`, `<!-- transitions:${role}:end -->`];
    const [from, to] = [out.indexOf(start), out.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/PROTOCOL.md has no markers ${start} … ${end}`);
    out = `${out.slice(0, from + start.length)}\n${make()}\n${out.slice(to)}`;
  }
  return out;
}

export function readSpecification(): string {
  return readFileSync(SPECIFICATION, "utf8");
}

export function writeSpecification(): void {
  writeFileSync(SPECIFICATION, fillMarkers(readSpecification()));
}
