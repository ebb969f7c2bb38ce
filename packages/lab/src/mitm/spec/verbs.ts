import type { Direction } from "@pawl/protocol";
import {
  type Action,
  type Actions,
  cut,
  delay,
  drop,
  hold,
  inject,
  reflect,
  repeat,
  replace,
} from "../actions.ts";
import type { ObservedFrame } from "../observed.ts";
import { flipField } from "./flip-field.ts";
import { type ParameterName, type Parameters, SELECTION, selects } from "./parameters.ts";

/** What an attack does on one connection. */
export interface Rule {
  /** What becomes of a frame; null: that is not for this rule to say. */
  readonly decide?: (frame: ObservedFrame) => Actions | null;
  /** What is done behind a frame, whatever became of it. */
  readonly behind?: (frame: ObservedFrame) => readonly Action[];
}

/** What an attack comes to. */
export type Plan =
  /** A rule, with a state of its own for each connection. */
  | { readonly kind: "rule"; readonly begin: () => Rule }
  /** The attacker plays the server to every client that comes. */
  | { readonly kind: "server"; readonly frames: readonly ObservedFrame[] }
  /** The attacker connects to the server, and plays a client. */
  | { readonly kind: "client"; readonly frames: readonly ObservedFrame[] };

export interface Verb {
  readonly name: string;
  readonly about: string;
  /** Without these it cannot be. */
  readonly needs: readonly ParameterName[];
  readonly takes: readonly ParameterName[];
  /** @throws RangeError where the parameters do not fit together */
  plan(given: Partial<Parameters>): Plan;
}

type Given<Needed extends ParameterName> = Partial<Parameters> & Pick<Parameters, Needed>;

/** Every attack by hand, in the order of its help. A new one is an entry here. */
export const VERBS: readonly Verb[] = [
  verb({
    name: "drop",
    about: "does not pass it on",
    needs: [],
    takes: SELECTION,
    plan: (given) => fate(given, () => drop),
  }),
  verb({
    name: "delay",
    about: "passes it on later, and all behind it in its direction too",
    needs: ["ms"],
    takes: SELECTION,
    plan: (given) => fate(given, () => delay(given.ms)),
  }),
  verb({
    name: "duplicate",
    about: "passes it on, with copies right behind it",
    needs: [],
    takes: [...SELECTION, "copies"],
    plan: (given) => fate(given, () => repeat(given.copies)),
  }),
  verb({
    name: "replay",
    about: "sends it once more, at once or behind a later frame",
    needs: [],
    takes: [...SELECTION, "behind"],
    plan: (given) => rule(() => replays(given), given),
  }),
  verb({
    name: "swap",
    about: "lets the next frame of its direction overtake it",
    needs: [],
    takes: SELECTION,
    plan: (given) => rule(() => swaps(given)),
  }),
  verb({
    name: "hold",
    about: "keeps it back, for ever or until a later frame has passed",
    needs: [],
    takes: [...SELECTION, "behind"],
    plan: (given) => rule(() => holds(given), given),
  }),
  verb({
    name: "reflect",
    about: "sends it back to its sender, and not on",
    needs: [],
    takes: SELECTION,
    plan: (given) => fate(given, () => reflect),
  }),
  verb({
    name: "flip",
    about: "turns one bit of it, of the whole packet or of a field",
    needs: [],
    takes: [...SELECTION, "field", "byte", "bit"],
    plan: (given) => {
      if (given.field === undefined && given.byte === undefined) {
        throw new RangeError("flip needs field or byte");
      }
      return fate(given, (frame) => flipField(frame, given));
    },
  }),
  verb({
    name: "inject",
    about: "sends bytes of your own behind it",
    needs: ["hex"],
    takes: [...SELECTION, "to"],
    plan: (given) => rule(() => injects(given)),
  }),
  verb({
    name: "truncate",
    about: "ends both streams at it",
    needs: [],
    takes: [...SELECTION, "how", "after"],
    plan: (given) => fate(given, () => cut(given.how ?? "fin", given.after)),
  }),
  verb({
    name: "splice",
    about: "puts a frame of a recording in the place of another (frame and connection: of the recording)",
    needs: ["from", "frame", "at"],
    takes: ["connection"],
    plan: splices,
  }),
  verb({
    name: "replay-client",
    about: "connects to the server when the proxy starts, and plays the client of a recording",
    needs: ["from"],
    takes: ["connection"],
    plan: (given) => ({ kind: "client", frames: recorded(given, "c2s") }),
  }),
  verb({
    name: "replay-server",
    about: "plays the server of a recording to every client that comes",
    needs: ["from"],
    takes: ["connection"],
    plan: (given) => ({ kind: "server", frames: recorded(given, "s2c") }),
  }),
];

/** Who reads a specification makes sure that all is there that is needed. */
function verb<Needed extends ParameterName = never>(
  definition: Omit<Verb, "needs" | "plan"> & {
    readonly needs: readonly Needed[];
    readonly plan: (given: Given<Needed>) => Plan;
  },
): Verb {
  return { ...definition, plan: (given) => definition.plan(given as Given<Needed>) };
}

/** @throws RangeError where what is to come behind a later frame would come behind an earlier one */
function rule(begin: () => Rule, { frame, behind }: Partial<Parameters> = {}): Plan {
  if (frame !== undefined && behind !== undefined && behind <= frame) {
    throw new RangeError(`behind=${behind} is not behind frame=${frame}`);
  }
  return { kind: "rule", begin };
}

/** The same for each frame that is chosen. */
function fate(given: Partial<Parameters>, decide: (frame: ObservedFrame) => Actions): Plan {
  const isChosen = selects(given);
  return rule(() => ({ decide: (frame) => (isChosen(frame) ? decide(frame) : null) }));
}

function replays(given: Partial<Parameters>): Rule {
  const isChosen = selects(given);
  const kept: ObservedFrame[] = [];
  return {
    behind: (frame) => {
      if (isChosen(frame)) kept.push(frame);
      if (given.behind !== undefined && frame.index !== given.behind) return [];
      return kept
        .splice(0)
        .map(({ direction, bytes, index }) => inject(direction, bytes, `frame ${index} once more`));
    },
  };
}

function swaps(given: Partial<Parameters>): Rule {
  const isChosen = selects(given);
  /** The frame of each direction that is held. */
  const held = new Map<Direction, number>();
  return {
    decide: ({ direction, index, ...frame }) => {
      if (held.has(direction) || !isChosen({ direction, index, ...frame })) return null;
      held.set(direction, index);
      return hold;
    },
    behind: ({ direction, index }) => {
      if ((held.get(direction) ?? index) === index) return [];
      held.delete(direction);
      return [{ do: "release" }];
    },
  };
}

function holds(given: Partial<Parameters>): Rule {
  const isChosen = selects(given);
  const directions = new Set<Direction>();
  return {
    decide: (frame) => {
      if (!isChosen(frame) || frame.index >= (given.behind ?? Number.POSITIVE_INFINITY)) return null;
      directions.add(frame.direction);
      return hold;
    },
    behind: ({ index }) =>
      index === given.behind ? [...directions].map((direction) => ({ do: "release", direction })) : [],
  };
}

function injects(given: Given<"hex">): Rule {
  const { hex, to } = given;
  const isChosen = selects(given);
  return {
    behind: (frame) => {
      if (!isChosen(frame)) return [];
      const direction = to === undefined ? frame.direction : to === "server" ? "c2s" : "s2c";
      return [inject(direction, hex, `${hex.length} bytes`)];
    },
  };
}

function splices({ from, frame, connection = 1, at }: Given<"from" | "frame" | "at">): Plan {
  const other = from.frames({ connection }).find(({ index }) => index === frame);
  if (other === undefined)
    throw new RangeError(`the recording has no frame ${frame} of connection ${connection}`);
  const note = `${other.header?.opcode ?? "a frame"} of a recording in its place`;
  const put = replace(note, other.bytes);
  return rule(() => ({ decide: ({ index }) => (index === at ? put : null) }));
}

/** @throws RangeError where there is none */
function recorded({ from, connection = 1 }: Given<"from">, direction: Direction): ObservedFrame[] {
  const frames = from.frames({ connection, direction });
  if (frames.length > 0) return frames;
  const side = direction === "c2s" ? "client" : "server";
  throw new RangeError(`the recording has no frame of the ${side} of connection ${connection}`);
}
