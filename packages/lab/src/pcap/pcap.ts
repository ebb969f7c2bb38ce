import { writeFile } from "node:fs/promises";
import type { Entry, Recording } from "../mitm/index.ts";
import { ATTACKER, Capture, CLIENT, SERVER } from "./capture.ts";
import { interfaceBlock, namesBlock, packetBlock, sectionBlock } from "./pcapng.ts";
import { Ports } from "./ports.ts";

const COMMENT =
  "Made from what the man in the middle recorded: 127.0.0.1 is the client, 127.0.0.2 the attacker, 127.0.0.3 the server. " +
  "A connection through the attacker is two. Bytes, order and times are real; addresses, sequence numbers and acknowledgements are not.";

/** A recording, and what it is called in a capture file: the attack. */
export interface NamedRecording {
  readonly name: string;
  readonly recording: Recording;
}

/** Takes the entries of one recording, in their order. @param notes that belong to the entry */
export type AddEntry = (entry: Entry, notes?: readonly string[]) => void;

/**
 * Writes a capture file in the format pcapng as things happen. Each recording is an interface of its own, so that
 * `frame.interface_name` tells them apart; what was done with a packet is in its comment.
 */
export class PcapWriter {
  readonly #write: (block: Uint8Array) => void;
  readonly #ports = { client: new Ports(), server: new Ports() };
  #interfaces = 0;
  #last = 0;

  /** @param write takes the file piece by piece */
  constructor(write: (block: Uint8Array) => void) {
    this.#write = write;
    write(sectionBlock(COMMENT));
    write(
      namesBlock([
        [CLIENT, "client"],
        [ATTACKER, "attacker"],
        [SERVER, "server"],
      ]),
    );
  }

  /** Begins a recording. @param startedAt milliseconds since 1970 */
  begin(name: string, startedAt: number): AddEntry {
    const id = this.#interfaces++;
    this.#write(interfaceBlock(name));
    let now = 0;
    const capture = new Capture(this.#ports, (packet, comments) => {
      // No two at one time: their order would be anybody's guess.
      this.#last = Math.max(this.#last + 1, now);
      const named = comments.map((comment) => `${name}: ${comment}`);
      this.#write(packetBlock(id, this.#last, packet, named));
    });
    return (entry, notes) => {
      now = Math.round((startedAt + entry.at) * 1_000);
      capture.add(entry, notes);
    };
  }
}

/** A capture file of whole recordings, piece by piece; those that went on at the same time are woven together. */
export function* pcapOf(recordings: readonly NamedRecording[]): Generator<Uint8Array> {
  const blocks: Uint8Array[] = [];
  const writer = new PcapWriter((block) => blocks.push(block));
  const steps = recordings.flatMap(({ name, recording }) => {
    const add = writer.begin(name, recording.startedAt);
    return withNotes(recording).map(({ entry, notes }) => ({
      at: recording.startedAt + entry.at,
      run: () => add(entry, notes),
    }));
  });
  steps.sort((a, b) => a.at - b.at);
  for (const { run } of steps) {
    run();
    yield* blocks.splice(0);
  }
  yield* blocks;
}

export function writePcap(path: string, recordings: readonly NamedRecording[]): Promise<void> {
  return writeFile(path, pcapOf(recordings));
}

/** What is said of a connection is a comment of the last packet before, since often none comes behind it. */
function withNotes({ entries }: Recording): { readonly entry: Entry; readonly notes: readonly string[] }[] {
  const steps: { entry: Entry; notes: string[] }[] = [];
  for (const entry of entries) {
    const { connection } = entry;
    const before =
      entry.kind === "note"
        ? steps.findLast((step) => connection === null || step.entry.connection === connection)
        : undefined;
    if (entry.kind === "note" && before !== undefined && before.entry.kind !== "note")
      before.notes.push(entry.text);
    else steps.push({ entry, notes: [] });
  }
  return steps;
}
