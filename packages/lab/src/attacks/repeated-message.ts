import { LENGTH_BYTES, splitPacket, toHex, utf8 } from "@pawl/protocol";
import type { Attack } from "../attack.ts";
import type { ObservedFrame, Recording } from "../mitm/index.ts";

const BLOCK = 16;
/** Of a strange spelling of one number, so that it is long, counts as that number, and is not met by chance. */
const ZEROS = " 0000000000000000 0000000000000000 0000000000000000";

export const repeatedMessage: Attack = {
  id: "repeated-message",
  claim: "confidentiality",
  title: "One message again and again, in several sessions",
  adversary: "Who sees every packet, and knows that a client says the same over and over.",
  steps: [
    "A client opens several sessions, and says the same message in each of their rounds.",
    "The attacker looks for an IV, a block of ciphertext or a tag that comes twice, and for the message itself.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const [sessions, messages] = stage.full ? [10, 50] : [3, 5];
    const victim = await stage.victim();
    const mitm = await stage.mitm();
    const message = victim.prime + ZEROS;
    const answers: string[] = [];
    for (let n = 0; n < sessions; n++) {
      const session = await victim.connect(mitm);
      for (let round = 0; round < messages; round++) {
        victim.said++;
        answers.push(String((await session.send(message)).aggregate));
      }
      await session.close();
    }
    const { recording } = mitm;
    const frames = recording.frames();
    const parts = frames.flatMap((frame) => partsOf(frame));
    const did = `watched ${frames.length} packets of ${sessions} sessions, each with the same message ${messages} times`;
    for (const kind of ["iv", "block", "tag"] as const) {
      const seen = parts.filter((part) => part.kind === kind).map(({ bytes }) => toHex(bytes));
      const twice = seen.length - new Set(seen).size;
      yield {
        name: NAMES[kind],
        did,
        happened: `${twice} of ${seen.length} came before`,
        worked: twice > 0,
        refusedBy: null,
        due: null,
        figures: { seen: seen.length, twice },
        recording,
      };
    }
    // Half of it would do as well.
    const needles = [message, ZEROS.slice(0, 18), '"contributors"', '"aggregate":', ...new Set(answers)];
    const found = needles.filter((needle) => needle.length >= BLOCK / 2 && isOnWire(recording, utf8(needle)));
    yield {
      name: "the text itself",
      did: `${did}, and looked for it and for the answers in what went over the wire`,
      happened: found.length === 0 ? "it was nowhere" : `found: ${found.join(", ")}`,
      worked: found.length > 0,
      refusedBy: null,
      due: null,
      recording,
    };
  },
};

const NAMES = { iv: "IVs", block: "blocks of ciphertext", tag: "tags" } as const;

interface Part {
  readonly kind: keyof typeof NAMES;
  readonly bytes: Uint8Array;
}

/** The last block of a stream cipher's text may be short, and then be met by chance. */
function partsOf({ header, bytes }: ObservedFrame): Part[] {
  if (header === null) return [];
  const { iv, ciphertext, tag } = splitPacket(header.suite, bytes.subarray(LENGTH_BYTES));
  const parts: Part[] = [
    { kind: "iv", bytes: iv },
    { kind: "tag", bytes: tag },
  ];
  for (let at = 0; at + BLOCK <= ciphertext.length; at += BLOCK) {
    parts.push({ kind: "block", bytes: ciphertext.subarray(at, at + BLOCK) });
  }
  return parts;
}

function isOnWire(recording: Recording, needle: Uint8Array): boolean {
  return recording.frames().some(({ bytes }) => Buffer.from(bytes).includes(Buffer.from(needle)));
}
