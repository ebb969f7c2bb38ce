import { copyOf, LENGTH_BYTES, OPCODES, readU32, writeU32 } from "@pawl/protocol";
import type { Attack } from "../attack.ts";
import { replace } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { everyBit } from "./support/bits.ts";
import { dueFor } from "./support/due.ts";
import { type Place, placesOf } from "./support/place.ts";
import { type Strike, strikeAll } from "./support/strike.ts";

/** Another value for a field, and what it is called. */
type Change = readonly [name: string, to: (now: number) => number];

interface Field {
  readonly name: string;
  /** Offset into the packet. */
  readonly at: number;
  readonly bytes: 1 | 4;
  /** The first two, a legal value and one that is not or is far off, are tried in every run. */
  readonly changes: readonly Change[];
}

const set = (value: number): Change => [`= ${value}`, () => value];
const add = (by: number): Change => [`+ ${by}`, (now) => (now + by) >>> 0];
const kinds: readonly number[] = Object.values(OPCODES);
const another = (by: number): Change => [
  by === 1 ? "= the next kind" : `= the kind ${by} further`,
  (now) => kinds[(kinds.indexOf(now) + by) % kinds.length] ?? 0,
];

/** PROTOCOL.md, 1.1. */
const FIELDS: readonly Field[] = [
  {
    name: "suite",
    at: 0,
    bytes: 1,
    changes: [
      ["= the next suite", (now) => (now % 3) + 1],
      set(0),
      ["= the suite before", (now) => ((now + 1) % 3) + 1],
      set(255),
    ],
  },
  {
    name: "opcode",
    at: 1,
    bytes: 1,
    changes: [another(1), set(50), another(2), another(3), another(4), set(0), set(255)],
  },
  { name: "direction", at: 2, bytes: 1, changes: [["= the other one", (now) => 1 - now], set(2), set(255)] },
  { name: "reserved", at: 3, bytes: 1, changes: [set(1), set(128)] },
  { name: "clientId", at: 4, bytes: 4, changes: [add(1), set(0), set(0xffff_ffff)] },
  { name: "epoch", at: 8, bytes: 4, changes: [add(1), set(0xffff_ffff), add(64), add(65)] },
  { name: "round", at: 12, bytes: 4, changes: [add(1), set(0xffff_ffff), add(2)] },
];

export const tamperHeader: Attack = {
  id: "tamper-header",
  claim: "integrity",
  title: "Another value in a field of the header",
  adversary: "A man in the middle who changes one field of one packet's header on its way.",
  steps: [
    "A client opens a session, speaks, and ends it, as far as the packet that is meant.",
    "The attacker passes that packet on with another value in one field of its header.",
    "Each field of each kind of packet gets a legal value and an illegal one; in the full run more, and every bit is turned.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    yield* strikeAll(
      stage,
      placesOf(stage).flatMap((place) => FIELDS.flatMap((field) => strikesOn(stage, place, field))),
    );
  },
};

function strikesOn(stage: Stage, place: Place, field: Field): Strike[] {
  const { name } = field;
  const changes = stage.full ? field.changes : field.changes.slice(0, 2);
  const values = changes.map(
    ([called, to]): Strike => ({
      place,
      group: `${place}, ${name}`,
      did: `passed it on with ${name} ${called}`,
      act: (frame) => {
        const altered = withField(frame.bytes, field, to);
        const due = dueFor(altered, frame.bytes, place, stage.suite);
        return { actions: replace(`${name} ${called}`, altered), due };
      },
    }),
  );
  return stage.full ? [...values, ...everyBit(stage, place, field)] : values;
}

function withField(frame: Uint8Array, { at, bytes }: Field, to: (now: number) => number): Uint8Array {
  const out = copyOf(frame);
  const offset = LENGTH_BYTES + at;
  if (bytes === 4) writeU32(out, to(readU32(out, offset)), offset);
  else out[offset] = to(out[offset] ?? 0);
  return out;
}
