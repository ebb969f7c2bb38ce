import { CLIENT_TRANSITIONS, SERVER_TRANSITIONS } from "@pawl/protocol";
import { type PacketsVectors, type PacketVector, readVectors } from "../../vectors/load.ts";
import type { GeneratedDocument } from "./markers.ts";

/**
 * What docs/PROTOCOL.md has from elsewhere: state diagrams and tables from the tables of transitions, the worked example
 * from the vectors.
 */

interface Move {
  readonly next: readonly string[];
  readonly strictOnly: boolean;
}
type Rows = Readonly<
  Record<string, { readonly awaits: boolean; readonly on: Readonly<Partial<Record<string, Move>>> }>
>;

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

/** One value a line, long ones wrapped. */
function values(rows: readonly (readonly [string, string | undefined])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.flatMap(([name, value = ""]) =>
    (value.match(/.{1,64}/g) ?? [""]).map((part, i) => `${(i === 0 ? name : "").padEnd(width)}  ${part}`),
  );
  return ["```", ...lines, "```"].join("\n");
}

function packetExample(packet: PacketVector, what: string): string {
  const frame = packet.frame;
  const rows: [string, string | undefined][] = [
    ["chain", packet.keys.chain],
    ["enc", packet.keys.enc],
    ["mac", packet.keys.mac],
    ["message", packet.message],
    ["plaintext", packet.plaintext],
    ["length", frame.slice(0, 8)],
    ["header", frame.slice(8, 40)],
    ["iv", frame.slice(40, 72)],
    ["ciphertext", frame.slice(72, -64)],
    ["tag", frame.slice(-64)],
    ...(packet.after === undefined
      ? []
      : [["next chain", packet.after.chain] as [string, string | undefined]]),
  ];
  return `${what}\n\n${values(rows)}`;
}

function example(): string {
  const session = readVectors<PacketsVectors>("packets").sessions.find(({ id }) => id === "strict/normal");
  const [hello, challenge, data, aggregate] = session?.packets ?? [];
  const traffic = session?.traffic;
  if (!session || !traffic || !hello || !challenge || !data || !aggregate)
    throw new Error("the vectors lack strict/normal");
  const text = new TextDecoder().decode(Buffer.from(aggregate.message, "hex"));
  return [
    values([
      ["E_0", session.client.secret],
      ["last", session.client.last],
    ]),
    packetExample(hello, "**HELLO**, with the keys of `hello_0`; message: nonce and `last`."),
    packetExample(
      challenge,
      "**CHALLENGE**, with the keys of `challenge_0`; message: `H(HELLO packet)`, nonce, `maxMessage` 1 MiB.",
    ),
    "Both sides now have",
    values([
      ["H(HELLO)", traffic.helloHash],
      ["H(CHALLENGE)", traffic.challengeHash],
      ["T", traffic.T],
      ["S_0", traffic.S],
      ["c2s chain", traffic.c2s],
      ["s2c chain", traffic.s2c],
      ["E_1", challenge.clientCommits?.[0]?.secret],
    ]),
    "and the client stores `E_1` with `last = T[0..16)` before it sends more.",
    packetExample(
      data,
      "**DATA** of round 1, the message `1 2 3`. The server stores `E_1` when it has verified it.",
    ),
    packetExample(aggregate, `**AGGREGATE** of round 1, \`${text}\`.`),
  ].join("\n\n");
}

const PARTS: Record<string, () => string> = {
  "transitions:client": () => `${diagram(CLIENT_TRANSITIONS, "idle")}\n\n${table(CLIENT_TRANSITIONS)}`,
  "transitions:server": () => `${diagram(SERVER_TRANSITIONS, "wait-hello")}\n\n${table(SERVER_TRANSITIONS)}`,
  example,
};

export const specification: GeneratedDocument = {
  file: new URL("../PROTOCOL.md", import.meta.url),
  parts: PARTS,
};
