import { SessionEndedError } from "@pawl/client";
import { OPCODES } from "@pawl/protocol";
import type { Attack } from "../attack.ts";
import { type ObservedFrame, replace, withHeader } from "../mitm/index.ts";
import { shapeOf } from "./support/forge.ts";
import { lead } from "./support/lead.ts";

export const forgeTerminate: Attack = {
  id: "forge-terminate",
  claim: "truncation",
  title: "A TERMINATE of the attacker's own making",
  adversary:
    "A man in the middle who wants to end a session so that it seems to have ended by itself. He has no key.",
  steps: [
    "In place of a client's DATA the server gets a TERMINATE: of random bytes, or that DATA called a TERMINATE.",
    "In place of its AGGREGATE the client gets a TERMINATE: of random bytes, or that AGGREGATE called a TERMINATE.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const due = [stage.suite.strict ? "HmacError" : "UnexpectedOpcodeError"];
    for (const place of ["DATA", "AGGREGATE"] as const) {
      for (const renamed of [false, true]) {
        const victim = await stage.victim();
        const led = await lead(stage, victim, place, (frame) =>
          replace("a forged TERMINATE in its place", renamed ? rename(frame) : forge(frame)),
        );
        const did = renamed
          ? `called the ${place} a TERMINATE`
          : `put a TERMINATE of random bytes in place of the ${place}`;
        const to = place === "DATA" ? "to the server" : "to the client";
        const name = `${to}, ${renamed ? "renamed" : "random"}`;
        const accepted = led.accepted || isProperEnd(led.error);
        yield await stage.refusal({ name, did, due, ...led, accepted });
      }
    }
  },
};

/** A client's caller was told a reason, as only a TERMINATE that was taken gives one. */
function isProperEnd(error: unknown): boolean {
  return error instanceof SessionEndedError && error.reason !== null;
}

/** One byte of message and one of kind. */
const PLAINTEXT_BYTES = 2;

function forge({ header }: ObservedFrame): Uint8Array {
  if (header === null) throw new Error("a packet without a header");
  return shapeOf({ ...header, opcode: "TERMINATE", bytes: PLAINTEXT_BYTES });
}

function rename({ bytes }: ObservedFrame): Uint8Array {
  return withHeader(bytes, { opcode: OPCODES.TERMINATE });
}
