import { type ClientId, type Epoch, type Round, readU8, readU32, writeU32 } from "./bytes.ts";
import { FormatError, FrameError } from "./errors.ts";
import { HEADER_BYTES, LENGTH_BYTES, MIN_PACKET } from "./limits.ts";
import { isPossibleLength, type Suite, suiteById } from "./suites.ts";

/** Section 1. 50 is reserved and never sent, so it is unknown like any other number. */
export const OPCODES = { HELLO: 10, CHALLENGE: 20, DATA: 30, AGGREGATE: 40, TERMINATE: 60 } as const;
export type Opcode = keyof typeof OPCODES;

const OPCODE_NAMES: ReadonlyMap<number, Opcode> = new Map(
  Object.entries(OPCODES).map(([name, code]) => [code, name as Opcode]),
);

/** Section 1: who sends a packet. */
export type Direction = "c2s" | "s2c";
export const DIR_C2S = 0;
export const DIR_S2C = 1;

/** The 16 bytes before every packet. */
export interface Header {
  readonly suite: Suite;
  readonly opcode: Opcode;
  readonly direction: Direction;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  readonly round: Round;
}

/** Writes the header into the first 16 bytes behind `offset`. */
export function encodeHeader(header: Header, into: Uint8Array, offset: number): void {
  into[offset] = header.suite.id;
  into[offset + 1] = OPCODES[header.opcode];
  into[offset + 2] = header.direction === "c2s" ? DIR_C2S : DIR_S2C;
  into[offset + 3] = 0;
  writeU32(into, header.clientId, offset + 4);
  writeU32(into, header.epoch, offset + 8);
  writeU32(into, header.round, offset + 12);
}

/**
 * Check 2 of section 1: a suite that this side runs, a length that is possible in it, a known opcode, direction 0 or 1,
 * reserved byte 0, clientId not 0.
 * @throws FormatError
 */
export function decodeHeader(packet: Uint8Array, suites: readonly Suite[]): Header {
  const suite = suiteById(readU8(packet, 0));
  if (suite === undefined || !suites.includes(suite))
    throw new FormatError("a suite that this side does not run");
  if (!isPossibleLength(suite, packet.length)) throw new FormatError("a length that its suite cannot have");
  const opcode = OPCODE_NAMES.get(readU8(packet, 1));
  if (opcode === undefined) throw new FormatError("an unknown opcode");
  const direction = readU8(packet, 2);
  if (direction !== DIR_C2S && direction !== DIR_S2C) throw new FormatError("an unknown direction");
  if (readU8(packet, 3) !== 0) throw new FormatError("the reserved byte is not 0");
  const clientId = readU32(packet, 4);
  if (clientId === 0) throw new FormatError("client id 0");
  return {
    suite,
    opcode,
    direction: direction === DIR_C2S ? "c2s" : "s2c",
    clientId: clientId as ClientId,
    epoch: readU32(packet, 8) as Epoch,
    round: readU32(packet, 12) as Round,
  };
}

/** The parts of a packet behind its header, as views. */
export function splitPacket(
  suite: Suite,
  packet: Uint8Array,
): { header: Uint8Array; iv: Uint8Array; ciphertext: Uint8Array; tag: Uint8Array } {
  const body = HEADER_BYTES + suite.ivBytes;
  const end = packet.length - suite.tagBytes;
  return {
    header: packet.subarray(0, HEADER_BYTES),
    iv: packet.subarray(HEADER_BYTES, body),
    ciphertext: packet.subarray(body, end),
    tag: packet.subarray(end),
  };
}

/** Chunks shorter than this are gathered in blocks: who sends single bytes must not cost an object for each. */
const SMALL_CHUNK = 1024;
const BLOCK_BYTES = 4096;

/**
 * Cuts a stream into packets. A packet that lies in one chunk is a view of it; one that does not is put together with
 * one copy (small chunks with two). Memory is set aside for bytes that came, never for a length that was announced.
 */
export class FrameReader {
  /** Views in the order of the stream, none empty. */
  #pieces: Uint8Array[] = [];
  /** Bytes of the first piece that have been taken: fewer than it has. */
  #taken = 0;
  /** Free room behind the last piece, when that piece is the start of a block of ours. */
  #room: Uint8Array | null = null;
  #buffered = 0;

  /** Bytes that are held and not yet part of a packet that was given out. */
  get buffered(): number {
    return this.#buffered;
  }

  /** The reader keeps views of `chunk`: do not reuse its memory. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#buffered += chunk.length;
    if (this.#pieces.length === 0 || chunk.length >= SMALL_CHUNK) {
      this.#pieces.push(chunk);
      this.#room = null;
      return;
    }
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#room === null || this.#room.length === 0) {
        this.#room = new Uint8Array(BLOCK_BYTES);
        this.#pieces.push(this.#room.subarray(0, 0));
      }
      const part = rest.subarray(0, this.#room.length);
      this.#room.set(part);
      const last = this.#pieces[this.#pieces.length - 1] ?? this.#room;
      this.#pieces[this.#pieces.length - 1] = new Uint8Array(
        last.buffer,
        last.byteOffset,
        last.byteLength + part.length,
      );
      this.#room = this.#room.subarray(part.length);
      rest = rest.subarray(part.length);
    }
  }

  /**
   * The next whole packet, without its length, or null while bytes are missing.
   * @param limit the longest packet that this state allows, in bytes: checked as soon as the length is there
   * @throws FrameError
   */
  next(limit: number): Uint8Array | null {
    if (this.#buffered < LENGTH_BYTES) return null;
    const length = this.#peekLength();
    if (length < MIN_PACKET || length > limit) {
      throw new FrameError(`a frame of ${length} bytes, where ${MIN_PACKET} to ${limit} are allowed`);
    }
    if (this.#buffered < LENGTH_BYTES + length) return null;
    this.#skip(LENGTH_BYTES);
    return this.#take(length);
  }

  /** Takes all that is held and not yet part of a packet that was given out, its length with it. */
  rest(): Uint8Array {
    return this.#take(this.#buffered);
  }

  /** Forgets everything. */
  clear(): void {
    this.#pieces = [];
    this.#taken = 0;
    this.#room = null;
    this.#buffered = 0;
  }

  #peekLength(): number {
    const first = this.#pieces[0];
    if (first !== undefined && first.length >= this.#taken + LENGTH_BYTES) return readU32(first, this.#taken);
    const head = new Uint8Array(LENGTH_BYTES);
    this.#copyInto(head);
    return readU32(head, 0);
  }

  #take(length: number): Uint8Array {
    const first = this.#pieces[0];
    let out: Uint8Array;
    if (first !== undefined && first.length >= this.#taken + length) {
      out = first.subarray(this.#taken, this.#taken + length);
    } else {
      out = new Uint8Array(length);
      this.#copyInto(out);
    }
    this.#skip(length);
    return out;
  }

  /** The bytes that come next, as many as fit; none is taken. */
  #copyInto(out: Uint8Array): void {
    let [at, start] = [0, this.#taken];
    for (const piece of this.#pieces) {
      const part = piece.subarray(start, start + out.length - at);
      out.set(part, at);
      at += part.length;
      start = 0;
      if (at === out.length) break;
    }
    if (at < out.length) throw new RangeError(`${out.length} bytes asked for, ${at} held`);
  }

  /** Takes `length` bytes that are held. */
  #skip(length: number): void {
    this.#buffered -= length;
    let left = this.#taken + length;
    for (let first = this.#pieces[0]; first !== undefined && left >= first.length; first = this.#pieces[0]) {
      left -= first.length;
      this.#pieces.shift();
    }
    this.#taken = left;
    if (this.#pieces.length === 0) this.#room = null;
  }
}
