import { type Direction, fromHex, MAX_U32, OPCODES, type Opcode } from "@pawl/protocol";
import type { ObservedFrame } from "../observed.ts";
import type { EndOfStream, Recording, Side } from "../recording.ts";

/** What can be said of an attack on a command line, each in its own word: `ms=500`. */
export interface Parameters {
  frame: number;
  opcode: Opcode;
  round: number;
  direction: Direction;
  connection: number;
  ms: number;
  copies: number;
  behind: number;
  byte: number;
  bit: number;
  field: Field;
  to: Side;
  hex: Uint8Array;
  how: EndOfStream;
  after: number;
  from: Recording;
  at: number;
}
export type ParameterName = keyof Parameters;

export const FIELDS = [
  "length",
  "suite",
  "opcode",
  "direction",
  "reserved",
  "clientId",
  "epoch",
  "round",
  "iv",
  "ciphertext",
  "tag",
] as const;
export type Field = (typeof FIELDS)[number];

/** Reads a recording that a parameter names. */
export type Load = (file: string) => Recording;

interface Parameter<T> {
  /** For help: what stands behind the equals sign. */
  readonly value: string;
  readonly about: string;
  /** @throws RangeError that says what was expected */
  read(text: string, load: Load): T;
}

const LONGEST_DELAY_MS = 86_400_000;
const MOST_COPIES = 1_000;

export const PARAMETERS: { readonly [Name in ParameterName]: Parameter<Parameters[Name]> } = {
  frame: integer("N", "its number in the connection, from 1, both directions counted", 1, MAX_U32),
  opcode: choice(Object.keys(OPCODES) as Opcode[], "what its header says that it is"),
  round: integer("N", "the round in its header", 0, MAX_U32),
  direction: choice(["c2s", "s2c"], "from the client to the server, or back"),
  connection: integer("N", "the number of the connection, from 1", 1, MAX_U32),
  ms: integer("N", "milliseconds", 1, LONGEST_DELAY_MS),
  copies: integer("N", "how many copies, 1 unless given", 1, MOST_COPIES),
  behind: integer("N", "behind the frame of that number", 1, MAX_U32),
  byte: integer("N", "which byte, of the packet or of the field; 0 is its first", 0, MAX_U32),
  bit: integer("N", "which bit of it, 0 unless given; 7 is the highest", 0, 7),
  field: choice(FIELDS, "a part of the frame"),
  to: choice(["client", "server"], "whom it is sent to; its receiver unless given"),
  hex: { value: "BYTES", about: "in hexadecimal digits", read: readHex },
  how: choice(["fin", "rst"], "in order, which is so unless given, or by a reset"),
  after: integer("N", "how many bytes of the frame still pass, none unless given", 0, MAX_U32),
  from: { value: "FILE", about: "a recording that --record wrote", read: (text, load) => load(text) },
  at: integer("N", "the number of the frame in whose place it goes", 1, MAX_U32),
};

/** How the frames are chosen that an attack is about. */
export const SELECTION: readonly ParameterName[] = ["frame", "opcode", "round", "direction", "connection"];

/** `ms=N` */
export function usageOf(name: ParameterName): string {
  return `${name}=${PARAMETERS[name].value}`;
}

/** Whether a frame is chosen; one is that has all that is asked for. */
export function selects(of: Partial<Parameters>): (frame: ObservedFrame) => boolean {
  return ({ index, connection, direction, header }) =>
    (of.frame ?? index) === index &&
    (of.connection ?? connection) === connection &&
    (of.direction ?? direction) === direction &&
    (of.opcode ?? header?.opcode) === header?.opcode &&
    (of.round ?? header?.round) === header?.round;
}

function integer(value: string, about: string, least: number, most: number): Parameter<number> {
  const read = (text: string) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= least && number <= most)) {
      throw new RangeError(`expected an integer from ${least} to ${most}`);
    }
    return number;
  };
  return { value, about, read };
}

function choice<T extends string>(choices: readonly T[], about: string): Parameter<T> {
  const read = (text: string) => {
    const found = choices.find((one) => one === text);
    if (found === undefined) throw new RangeError(`expected ${choices.join(", ")}`);
    return found;
  };
  return { value: choices.join("|"), about, read };
}

function readHex(text: string): Uint8Array {
  if (text === "") throw new RangeError("expected hexadecimal digits");
  return fromHex(text.toLowerCase());
}
