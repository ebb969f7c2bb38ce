/** Section 2: why a TERMINATE ends a session. A receiver takes an unknown reason as `done`. */
export const TERMINATE_REASONS = {
  done: 0,
  shutdown: 1,
  idle: 2,
  superseded: 3,
  revoked: 4,
  renew: 5,
  conflict: 6,
} as const;

export type TerminateReason = keyof typeof TERMINATE_REASONS;

export function reasonFromCode(code: number): TerminateReason {
  for (const [name, value] of Object.entries(TERMINATE_REASONS)) {
    if (value === code) return name as TerminateReason;
  }
  return "done";
}

/** Section 2: whether a client whose session ended so comes back by itself. */
export function mayReconnect(reason: TerminateReason): boolean {
  return reason === "renew" || reason === "conflict";
}
