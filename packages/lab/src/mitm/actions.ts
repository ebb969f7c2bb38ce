import type { Direction } from "@pawl/protocol";
import type { ObservedFrame } from "./observed.ts";
import { flipBit, spanAt } from "./packet.ts";

/**
 * What a man in the middle does with a frame, as plain data, so that it can be carried out, recorded and told. A frame
 * for which no action passes it on is dropped.
 */
export type Action =
  /** As it came. */
  | { readonly do: "pass" }
  /** As it came, so much later, and all behind it in its direction too. */
  | { readonly do: "delay"; readonly ms: number }
  /** As it came, and so many copies behind it. */
  | { readonly do: "repeat"; readonly copies: number }
  /** Other bytes in its place. */
  | { readonly do: "replace"; readonly by: readonly Uint8Array[]; readonly note: string }
  /** Not now: what follows overtakes it. It waits for `release`. */
  | { readonly do: "hold" }
  /** What is held in a direction, this frame's unless given, in the order in which it came. */
  | { readonly do: "release"; readonly direction?: Direction }
  /** Back to its sender. */
  | { readonly do: "reflect" }
  /** Bytes of the attacker's, into either direction. */
  | {
      readonly do: "inject";
      readonly direction: Direction;
      readonly bytes: Uint8Array;
      readonly note: string;
    }
  /** So many bytes of the frame, then the end of both streams: in order (FIN) or at once (RST). */
  | { readonly do: "cut"; readonly how: "fin" | "rst"; readonly after: number };

export type Actions = Action | readonly Action[];

export const pass: Action = { do: "pass" };
export const drop: readonly Action[] = [];
export const hold: Action = { do: "hold" };
export const release: Action = { do: "release" };
export const reflect: Action = { do: "reflect" };

/** @param ms milliseconds */
export const delay = (ms: number): Action => ({ do: "delay", ms });
export const repeat = (copies = 1): Action => ({ do: "repeat", copies });
export const replace = (note: string, ...by: readonly Uint8Array[]): Action => ({ do: "replace", by, note });
export const inject = (direction: Direction, bytes: Uint8Array, note: string): Action => ({
  do: "inject",
  direction,
  bytes,
  note,
});
/** @param after bytes of the frame that still pass */
export const cut = (how: "fin" | "rst", after = 0): Action => ({ do: "cut", how, after });

/** Turns one bit. @param offset into the packet, behind the frame's length; negative: from its end @param bit 0 … 7 */
export function flip({ bytes }: Pick<ObservedFrame, "bytes">, offset: number, bit = 0): Action {
  const at = offset < 0 ? bytes.length - 4 + offset : offset;
  return replace(`bit ${bit} of byte ${at} (${spanAt(bytes, at)}) turned`, flipBit(bytes, at, bit));
}

/** In a few words, for a list or a diagram. */
export function describeActions(actions: Actions): string {
  const list = listOf(actions);
  return list.length === 0 ? "dropped" : list.map(describeAction).join(", ");
}

export function listOf(actions: Actions): readonly Action[] {
  return Array.isArray(actions) ? (actions as readonly Action[]) : [actions as Action];
}

function describeAction(action: Action): string {
  switch (action.do) {
    case "pass":
      return "passed";
    case "delay":
      return `passed ${action.ms} ms later`;
    case "repeat":
      return `passed, and ${action.copies === 1 ? "a copy" : `${action.copies} copies`} behind it`;
    case "replace":
      return action.note;
    case "hold":
      return "held";
    case "release":
      return "what was held, behind it";
    case "reflect":
      return "sent back to its sender";
    case "inject":
      return `injected ${action.direction === "c2s" ? "to the server" : "to the client"}: ${action.note}`;
    case "cut":
      return `cut (${action.how === "fin" ? "FIN" : "RST"}) after ${action.after} bytes of it`;
    default:
      return action satisfies never;
  }
}
