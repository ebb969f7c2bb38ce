import {
  CLASSIC_NONCE_BYTES,
  type ClientId,
  concat,
  copyOf,
  DEFAULT_MAX_MESSAGE,
  DEFAULT_WINDOW,
  HEADER_BYTES,
  LENGTH_BYTES,
  MAX_HANDSHAKE_PACKET,
  MIN_PACKET,
  packetLimit,
  SUITES,
  type Suite,
  u32,
  utf8,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { flipBit, type HeaderChange, withHeader, withLength } from "../../mitm/index.ts";
import type { OwnSession } from "./own-session.ts";

/** Something that has to be refused, and the class of section 1.3 that it is refused with. */
export interface Bad<From> {
  readonly name: string;
  readonly due: string;
  readonly make: (from: From) => Uint8Array;
}

/** A HELLO that would be accepted, and whom it could be said to be of. */
export interface HelloParts {
  readonly hello: Uint8Array;
  readonly unknown: ClientId;
  readonly revoked: ClientId;
  /** A HELLO with another message, under a right tag. */
  readonly sealed: (message: Uint8Array) => Uint8Array;
}

type Row<From> = readonly [name: string, due: string, make: (from: From) => Uint8Array];

const rows = <From>(of: readonly Row<From>[]): Bad<From>[] =>
  of.map(([name, due, make]) => ({ name, due, make }));
const header = (change: HeaderChange) => (frame: Uint8Array) => withHeader(frame, change);
/** One bit in a part that the tag covers, or in the tag. @param at into the packet; negative: from its end */
const flip = (at: number) => (frame: Uint8Array) =>
  flipBit(frame, at < 0 ? frame.length - LENGTH_BYTES + at : at, 0);
/** One byte less, and a length that says so. */
const shortened = (frame: Uint8Array) =>
  withLength(copyOf(frame, 0, frame.length - 1), frame.length - LENGTH_BYTES - 1);

/** What is wrong with a packet whatever it is: checks 1 to 3. */
function malformed(suite: Suite): Row<Uint8Array>[] {
  const other = SUITES.find((one) => one !== suite && one.strict === suite.strict) ?? suite;
  return [
    ["a length of 0", "FrameError", (frame) => withLength(frame, 0)],
    ["a length too short", "FrameError", (frame) => withLength(frame, MIN_PACKET - 1)],
    ["a length of 2³²−1", "FrameError", (frame) => withLength(frame, 0xffff_ffff)],
    [
      "bytes that mean nothing",
      "FormatError",
      (frame) => concat(u32(frame.length - 4), noise(frame.length - 4)),
    ],
    ["text", "FrameError", () => utf8("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")],
    [
      "an unknown suite",
      "FormatError",
      (frame) => concat(copyOf(frame, 0, 4), Uint8Array.of(9), copyOf(frame, 5)),
    ],
    ...(other === suite
      ? []
      : [["another suite", "FormatError", header({ suite: other })] as Row<Uint8Array>]),
    ...(suite.cipher === "gcm" ? [] : [["no whole blocks", "FormatError", shortened] as Row<Uint8Array>]),
    ["opcode 50", "FormatError", header({ opcode: 50 })],
    ["direction 2", "FormatError", header({ direction: 2 })],
    ["a reserved byte", "FormatError", header({ reserved: 1 })],
    ["client 0", "FormatError", header({ clientId: 0 })],
    ["the server's direction", "DirectionError", header({ direction: 1 })],
    ["opcode CHALLENGE", "UnexpectedOpcodeError", header({ opcode: 20 })],
    ["opcode AGGREGATE", "UnexpectedOpcodeError", header({ opcode: 40 })],
    ["the last byte of the tag", "HmacError", flip(-1)],
    ["the first byte of the IV", "HmacError", flip(HEADER_BYTES)],
    ["the ciphertext", "HmacError", flip(HEADER_BYTES + suite.ivBytes)],
  ];
}

/** Before the handshake. */
export function badHellos(suite: Suite): Bad<HelloParts>[] {
  const epochs: Row<HelloParts>[] = suite.strict
    ? [
        ["an epoch behind", "EpochError", ({ hello }) => withHeader(hello, { epoch: 0 })],
        ["an epoch ahead", "HmacError", ({ hello }) => withHeader(hello, { epoch: 2 })],
        ["an epoch far ahead", "EpochError", ({ hello }) => withHeader(hello, { epoch: 2 + DEFAULT_WINDOW })],
        ["the last epoch", "EpochError", ({ hello }) => withHeader(hello, { epoch: 0xffff_ffff })],
      ]
    : [["an epoch", "EpochError", ({ hello }) => withHeader(hello, { epoch: 1 })]];
  return rows<HelloParts>([
    ...malformed(suite).map(([name, due, make]): Row<HelloParts> => [name, due, ({ hello }) => make(hello)]),
    ["a length too long", "FrameError", ({ hello }) => withLength(hello, MAX_HANDSHAKE_PACKET + 1)],
    ["DATA first", "UnexpectedOpcodeError", ({ hello }) => withHeader(hello, { opcode: 30 })],
    ["TERMINATE first", "UnexpectedOpcodeError", ({ hello }) => withHeader(hello, { opcode: 60 })],
    ["an unknown client", "IdentityError", ({ hello, unknown }) => withHeader(hello, { clientId: unknown })],
    ["a revoked client", "IdentityError", ({ hello, revoked }) => withHeader(hello, { clientId: revoked })],
    ...epochs,
    ["a round", "DesyncError", ({ hello }) => withHeader(hello, { round: 1 })],
    [
      "a right tag over a message too short",
      "FormatError",
      ({ sealed }) => sealed(noise(CLASSIC_NONCE_BYTES - 1)),
    ],
  ]);
}

/** In a live session whose keys the attacker has. */
export function badPackets(suite: Suite): Bad<OwnSession>[] {
  const message = utf8("1");
  const due = (session: OwnSession) => session.seal(message);
  const strict: Row<OwnSession>[] = [
    [
      "a right tag over no kind",
      "FormatError",
      (session) => session.seal(message, { plaintext: new Uint8Array(8) }),
    ],
    [
      "a right tag over an unknown kind",
      "FormatError",
      (session) => session.seal(message, { plaintext: Uint8Array.of(49, 3) }),
    ],
    [
      "TERMINATE with two bytes",
      "FormatError",
      (session) => session.seal(Uint8Array.of(0, 0), { opcode: "TERMINATE" }),
    ],
    [
      "TERMINATE that is a cover",
      "FormatError",
      (session) => session.seal(message, { opcode: "TERMINATE", plaintext: Uint8Array.of(0, 2) }),
    ],
  ];
  return rows<OwnSession>([
    ...malformed(suite).map(
      ([name, error, make]): Row<OwnSession> => [name, error, (session) => make(due(session))],
    ),
    [
      "a length too long",
      "FrameError",
      (session) => withLength(due(session), packetLimit(suite, DEFAULT_MAX_MESSAGE) + 1),
    ],
    [
      "another HELLO",
      "UnexpectedOpcodeError",
      (session) => withHeader(due(session), { opcode: 10, round: 0 }),
    ],
    ["another client", "IdentityError", (session) => withHeader(due(session), { clientId: 0x00ff_ffff })],
    ["another epoch", "EpochError", (session) => withHeader(due(session), { epoch: 7 })],
    ["the round before", "DesyncError", (session) => session.seal(message, { round: 1 })],
    ["the round after", "DesyncError", (session) => session.seal(message, { round: 3 })],
    ...(suite.cipher === "gcm"
      ? []
      : [["a right tag over a wrong padding", "FormatError", unpadded] as Row<OwnSession>]),
    ...(suite.strict
      ? strict
      : [
          [
            "TERMINATE",
            "UnexpectedOpcodeError",
            (session) => session.seal(message, { opcode: "TERMINATE" }),
          ] as Row<OwnSession>,
        ]),
  ]);
}

/** No padding ends in this byte. */
export const unpadded = (session: OwnSession): Uint8Array =>
  session.seal(new Uint8Array(), { plaintext: new Uint8Array(16).fill(0xff), unpadded: true });

/** Random but for its first byte, which is of no suite. */
function noise(length: number): Uint8Array {
  const bytes = systemRandom(length);
  bytes[0] = 0xee;
  return bytes;
}
