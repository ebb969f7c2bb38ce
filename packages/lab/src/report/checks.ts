/** One of the checks of PROTOCOL.md, 1.3, as the class of its error names it. */
export interface Check {
  /** Its number; null: it is not one of them, and `section` says where it is described. */
  readonly number: string | null;
  readonly section: string;
  readonly what: string;
}

const CHECKS: Readonly<Record<string, Check>> = {
  FrameError: { number: "1", section: "1.3", what: "the length" },
  FormatError: { number: "2 or 9", section: "1.3", what: "the form" },
  DirectionError: { number: "3", section: "1.3", what: "the direction" },
  UnexpectedOpcodeError: { number: "4", section: "1.3", what: "the opcode" },
  IdentityError: { number: "5", section: "1.3", what: "the client" },
  SuiteError: { number: "5", section: "1.3", what: "the suite" },
  EpochError: { number: "6", section: "1.3", what: "the epoch" },
  DesyncError: { number: "7", section: "1.3", what: "the round" },
  HmacError: { number: "8", section: "1.3", what: "the tag" },
  FreshnessError: { number: "9", section: "1.3", what: "the HELLO it answers" },
  TruncationError: { number: null, section: "2.4", what: "no TERMINATE" },
};

/** Undefined for an error that is none of the protocol's. */
export function checkOf(error: string): Check | undefined {
  return Object.hasOwn(CHECKS, error) ? CHECKS[error] : undefined;
}

/** `HmacError — check 8: the tag`. */
export function describeRefusal(error: string): string {
  const check = checkOf(error);
  if (check === undefined) return error;
  const where = check.number === null ? `section ${check.section}` : `check ${check.number}`;
  return `${error} — ${where}: ${check.what}`;
}
