import { describe, expect, it } from "vitest";
import { flipBit, Recording } from "../mitm/index.ts";
import { headerOf } from "../mitm/observed.ts";
import type { PacketRow, Row } from "./rows.ts";
import { sequenceOf } from "./sequence.ts";
import { sampleFrame } from "./testing/frames.ts";

const data = sampleFrame();
const aggregate = sampleFrame({ opcode: "AGGREGATE", direction: "s2c" });

/** A recording by hand, as the man in the middle makes it. */
class Script {
  readonly recording = new Recording();
  #frames = 0;

  open(client: "victim" | "attacker", server: "victim" | "attacker", connection = 1): this {
    this.recording.add({ kind: "open", connection, client, server, port: 1 });
    return this;
  }

  seen(bytes: Uint8Array, did = "passed", direction: "c2s" | "s2c" = "c2s", connection = 1): this {
    const header = headerOf(bytes.subarray(4));
    this.recording.add({ kind: "seen", connection, index: ++this.#frames, direction, bytes, header, did });
    return this;
  }

  sent(
    bytes: Uint8Array,
    of: number | null,
    note: string | null = null,
    direction: "c2s" | "s2c" = "c2s",
  ): this {
    this.recording.add({ kind: "sent", connection: 1, direction, bytes, of, note });
    return this;
  }

  end(side: "client" | "server", by: "victim" | "attacker", how: "fin" | "rst" = "fin"): this {
    this.recording.add({ kind: "end", connection: 1, side, how, by });
    return this;
  }

  get sequence() {
    return sequenceOf(this.recording);
  }
}

const packets = (rows: readonly Row[]) => rows.filter((row): row is PacketRow => row.kind === "packet");
const fates = (rows: readonly Row[]) => packets(rows).map(({ fate, from, to }) => `${fate} ${from}>${to}`);

describe("a recording as rows", () => {
  it("has one row for what passed, with its header decoded", () => {
    const { rows, lanes } = new Script()
      .seen(data)
      .sent(data, 1)
      .seen(aggregate, "passed", "s2c")
      .sent(aggregate, 2, null, "s2c").sequence;
    expect(lanes).toEqual(["client", "attacker", "server"]);
    expect(fates(rows)).toEqual(["passed client>server", "passed server>client"]);
    expect(rows[0]).toMatchObject({
      frame: 1,
      sent: { title: "DATA · round 1 · length 80", detail: "strict · client 7 · epoch 0" },
      wentOn: null,
      note: null,
      change: null,
    });
  });

  it("has both forms of what was altered, and the bytes of both", () => {
    const other = flipBit(data, 15, 1);
    const { rows } = new Script().seen(data, "turned").sent(other, 1, "a bit turned").sequence;
    expect(fates(rows)).toEqual(["altered client>server"]);
    expect(rows[0]).toMatchObject({
      note: "a bit turned",
      sent: { title: "DATA · round 1 · length 80" },
      wentOn: { title: "DATA · round 3 · length 80" },
      change: { before: data, after: other },
    });
  });

  it("tells dropped from held, and shows where the held one goes on", () => {
    const { rows } = new Script()
      .seen(data, "dropped")
      .seen(data, "held")
      .seen(aggregate, "passed", "s2c")
      .sent(aggregate, 3, null, "s2c")
      .sent(data, 2, "held until now").sequence;
    expect(fates(rows)).toEqual([
      "stopped client>server",
      "kept client>server",
      "passed server>client",
      "late attacker>server",
    ]);
    expect(packets(rows).map(({ note }) => note)).toEqual(["dropped", "held", null, "held until now"]);
  });

  it("does not take what went on later, though next, for passed", () => {
    const { rows } = new Script().seen(data, "passed 40 ms later").sent(data, 1, "40 ms late").sequence;
    expect(fates(rows)).toEqual(["kept client>server", "late attacker>server"]);
  });

  it("has the attacker's own bytes start at him, copies and reflections too", () => {
    const { rows } = new Script()
      .seen(data, "passed, and a copy behind it")
      .sent(data, 1)
      .sent(data, null, "a copy")
      .seen(data, "sent back to its sender")
      .sent(data, null, "reflected", "s2c").sequence;
    expect(fates(rows)).toEqual([
      "passed client>server",
      "injected attacker>server",
      "stopped client>server",
      "injected attacker>client",
    ]);
  });

  it("leaves out the life line of who is not there", () => {
    const alone = new Script()
      .open("attacker", "victim")
      .sent(data, null, "x")
      .seen(aggregate, "received", "s2c");
    expect(alone.sequence.lanes).toEqual(["attacker", "server"]);
    expect(fates(alone.sequence.rows)).toEqual(["injected attacker>server", "received server>attacker"]);
    // What "goes on" to a server that he plays himself goes nowhere.
    const server = new Script().open("victim", "attacker").seen(data).sent(data, 1);
    expect(server.sequence.lanes).toEqual(["client", "attacker"]);
    expect(fates(server.sequence.rows)).toEqual(["received client>attacker"]);
  });

  it("says who opened a connection only where it is not plain, and before its first frame", () => {
    const plain = new Script().seen(data).open("victim", "victim").sequence;
    expect(plain.rows.map(({ kind }) => kind)).toEqual(["packet"]);
    const two = new Script()
      .open("victim", "victim")
      .seen(data, "passed", "c2s", 2)
      .open("attacker", "victim", 2);
    expect(two.sequence.connections).toBe(2);
    expect(two.sequence.rows.map((row) => (row.kind === "note" ? row.text : row.kind))).toEqual([
      "the client connects to the server, through the attacker",
      "the attacker connects to the server himself",
      "packet",
    ]);
  });

  it("draws ends from who ended: through, to both sides of a cut, from the attacker's own side", () => {
    const ends = (script: Script) =>
      script.sequence.rows.flatMap((row) => (row.kind === "end" ? [`${row.from}>${row.to} ${row.how}`] : []));
    expect(ends(new Script().end("server", "victim"))).toEqual(["server>client fin"]);
    expect(ends(new Script().end("client", "attacker", "rst").end("server", "attacker", "rst"))).toEqual([
      "attacker>client rst",
      "attacker>server rst",
    ]);
    expect(ends(new Script().open("attacker", "victim").end("client", "attacker"))).toEqual([
      "attacker>server fin",
    ]);
  });

  it("has the check that refused at the line of who said so, and other notes as they are", () => {
    const script = new Script().seen(data);
    script.recording.note("the server: HmacError", 1);
    script.recording.note("the server: no such error");
    const { rows } = sequenceOf(script.recording, "HmacError");
    expect(rows.slice(1)).toMatchObject([
      { kind: "refusal", lane: "server", error: "HmacError" },
      { kind: "note", text: "the server: no such error" },
    ]);
  });

  it("shows a refusal that no note tells of, at a line only where there is no doubt whose", () => {
    const both = sequenceOf(new Script().seen(data).recording, "EpochError");
    expect(both.rows.at(-1)).toMatchObject({ kind: "refusal", lane: null, error: "EpochError" });
    const alone = new Script().open("attacker", "victim").sent(data, null).recording;
    expect(sequenceOf(alone, "EpochError").rows.at(-1)).toMatchObject({ lane: "server" });
  });
});
