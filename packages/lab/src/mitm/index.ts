export {
  type Action,
  type Actions,
  cut,
  delay,
  describeActions,
  drop,
  flip,
  hold,
  inject,
  pass,
  reflect,
  release,
  repeat,
  replace,
} from "./actions.ts";
export { ProxiedConnection } from "./connection.ts";
export { entryLine, headLine } from "./lines.ts";
export { headerOf, is, type ObservedFrame, observe } from "./observed.ts";
export { flipBit, type HeaderChange, type Span, spanAt, spansOf, withHeader, withLength } from "./packet.ts";
export { playClient, playServer } from "./play.ts";
export { each, type Program, until } from "./program.ts";
export { createProxy, type FrameProxy, type ProxyOptions } from "./proxy.ts";
export { AttackerConnection } from "./raw.ts";
export { type EndOfStream, type Entry, type Party, Recording, type Side } from "./recording.ts";
export { attackHelp } from "./spec/help.ts";
export type { Load } from "./spec/parameters.ts";
export { type AttackSpec, parseAttack, programOf } from "./spec/spec.ts";
export { describeReaction, type Reaction, Watch } from "./watch.ts";
