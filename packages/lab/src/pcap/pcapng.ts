import { concat, u32, utf8 } from "@pawl/protocol";

/** The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in the byte order of the network. */

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const NAMES = 4;
const PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const VERSION = [1, 0] as const;
/** IPv4 and IPv6 without a link layer. */
const LINKTYPE_RAW = 101;

const END_OF_OPTIONS = 0;
const COMMENT = 1;
/** Of a section: the program that wrote it. */
const USER_APPLICATION = 4;
/** Of an interface. */
const INTERFACE_NAME = 2;
/** Of names: an IPv4 address and what it is called. */
const NAME_OF_IPV4 = 1;

/** Longer than any that is written, and within the 16 bits of its length. */
const LONGEST_COMMENT = 2_000;

/** Begins the file. */
export function sectionBlock(comment: string): Uint8Array {
  const length = new Uint8Array(8).fill(0xff);
  const head = concat(u32(BYTE_ORDER_MAGIC), u16(VERSION[0]), u16(VERSION[1]), length);
  return block(SECTION, head, options([USER_APPLICATION, "pawl"], [COMMENT, comment]));
}

/** Interfaces are counted from 0, in their order. Times on it are in microseconds. */
export function interfaceBlock(name: string): Uint8Array {
  return block(INTERFACE, concat(u16(LINKTYPE_RAW), u16(0), u32(0)), options([INTERFACE_NAME, name]));
}

/** What addresses are called, for who reads the capture. */
export function namesBlock(
  names: readonly (readonly [address: readonly number[], name: string])[],
): Uint8Array {
  const records = names.map(([address, name]) =>
    record(NAME_OF_IPV4, concat(Uint8Array.of(...address), utf8(name), Uint8Array.of(0))),
  );
  return block(NAMES, ...records, record(END_OF_OPTIONS, new Uint8Array()));
}

/** @param time microseconds since 1970 */
export function packetBlock(
  on: number,
  time: number,
  packet: Uint8Array,
  comments: readonly string[],
): Uint8Array {
  const head = concat(
    u32(on),
    u32(Math.floor(time / 2 ** 32)),
    u32(time % 2 ** 32),
    u32(packet.length),
    u32(packet.length),
  );
  const said = comments.map((comment) => [COMMENT, comment.slice(0, LONGEST_COMMENT)] as const);
  return block(PACKET, head, padded(packet), options(...said));
}

function options(...list: readonly (readonly [code: number, text: string])[]): Uint8Array {
  if (list.length === 0) return new Uint8Array();
  const end = record(END_OF_OPTIONS, new Uint8Array());
  return concat(...list.map(([code, text]) => record(code, utf8(text))), end);
}

function record(code: number, value: Uint8Array): Uint8Array {
  return concat(u16(code), u16(value.length), padded(value));
}

function block(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const length = u32(body.length + 12);
  return concat(u32(type), length, body, length);
}

/** Everything begins at a multiple of four bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array(-bytes.length & 3));
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}
