import { concat, copyOf, LENGTH_BYTES } from "@pawl/protocol";
import type { Attack } from "../attack.ts";
import { replace, type Span, spansOf } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { bitOf, everyBit } from "./support/bits.ts";
import { opcodeOf, type Place, placesOf } from "./support/place.ts";
import { recordSession } from "./support/recorded.ts";
import { type Strike, strikeAll } from "./support/strike.ts";

const HEADER = new Set(["suite", "opcode", "direction", "reserved", "clientId", "epoch", "round"]);

export const tamperBody: Attack = {
  id: "tamper-body",
  claim: "integrity",
  title: "A turned bit in IV, ciphertext or tag",
  adversary:
    "A man in the middle who turns bits of the sealed part of one packet, or moves its blocks, on its way.",
  steps: [
    "A client opens a session, speaks, and ends it, as far as the packet that is meant.",
    "The attacker turns one bit of its IV, of a block of ciphertext (the last one holds the padding), or of its tag.",
    "In every run it is the first and the last bit of each part of each kind of packet, in the full run every bit.",
    "Or he puts zeros in place of the tag, or the last two blocks the other way round.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const scout = await recordSession(stage, await stage.victim());
    yield* strikeAll(
      stage,
      placesOf(stage).flatMap((place) => {
        const { bytes } = scout.packet(opcodeOf(place));
        const parts = spansOf(bytes).filter(({ name }) => !HEADER.has(name));
        return [
          ...parts.flatMap((part) => (stage.full ? everyBit(stage, place, part) : ends(stage, place, part))),
          zeroTag(place),
          ...(blocksOf(bytes).length < 2 ? [] : [swappedBlocks(place)]),
        ];
      }),
    );
  },
};

function ends(stage: Stage, place: Place, { name, bytes }: Span): Strike[] {
  return [
    bitOf(stage, place, name, { byte: 0, bit: 7 }),
    bitOf(stage, place, name, { byte: bytes - 1, bit: 0 }),
  ];
}

function zeroTag(place: Place): Strike {
  return {
    place,
    group: `${place}, a tag of zeros`,
    did: "put zeros in place of its tag",
    act: ({ bytes }) => {
      const tag = spansOf(bytes).at(-1);
      const altered = copyOf(bytes);
      if (tag !== undefined) altered.fill(0, LENGTH_BYTES + tag.at);
      return { actions: replace("a tag of zeros", altered), due: ["HmacError"] };
    },
  };
}

function swappedBlocks(place: Place): Strike {
  return {
    place,
    group: `${place}, swapped blocks`,
    did: "put the last two blocks of its ciphertext the other way round",
    act: ({ bytes }) => {
      const [one, other] = blocksOf(bytes).slice(-2);
      if (one === undefined || other === undefined) throw new Error("less than two blocks");
      const slice = (from: number, to: number) => copyOf(bytes, LENGTH_BYTES + from, LENGTH_BYTES + to);
      const end = other.at + other.bytes;
      const altered = concat(
        copyOf(bytes, 0, LENGTH_BYTES + one.at),
        slice(other.at, end),
        slice(one.at, other.at),
        slice(end, bytes.length - LENGTH_BYTES),
      );
      return { actions: replace("the last two blocks swapped", altered), due: ["HmacError"] };
    },
  };
}

function blocksOf(frame: Uint8Array): Span[] {
  return spansOf(frame).filter(({ name }) => name.startsWith("ciphertext block"));
}
