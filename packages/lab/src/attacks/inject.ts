import type { Attack, Case } from "../attack.ts";
import type { ObservedFrame } from "../mitm/index.ts";
import { inject, pass } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { shapeOf } from "./support/forge.ts";
import { lead } from "./support/lead.ts";
import { type Place, placesOf } from "./support/place.ts";
import { inWaves } from "./support/waves.ts";

/** Bytes of plaintext that he pretends to send, as many as a short message has. */
const BYTES = 16;

export const injectPackets: Attack = {
  id: "inject",
  claim: "integrity",
  title: "A packet of the attacker's own making",
  adversary:
    "A man in the middle who relays the handshake, and has no key. He knows the header that is due, and how long packets are.",
  steps: [
    "A client connects through the attacker, who relays every packet as far as the one that is meant.",
    "In front of it he sends one of the same kind with the header that is due, and random bytes where it is sealed.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    for await (const wave of inWaves(stage, placesOf(stage), (place) => ahead(stage, place))) yield* wave;
  },
};

async function ahead(stage: Stage, place: Place): Promise<Case> {
  const victim = await stage.victim();
  return stage.refusal({
    name: place,
    did: `sent random bytes as ${place}, under the header that is due`,
    due: ["HmacError"],
    ...(await lead(stage, victim, place, (frame) => [
      inject(frame.direction, forged(frame), `random bytes as ${place}`),
      pass,
    ])),
  });
}

function forged({ header }: ObservedFrame): Uint8Array {
  if (header === null) throw new Error("a packet without a header");
  return shapeOf({ ...header, bytes: BYTES });
}
