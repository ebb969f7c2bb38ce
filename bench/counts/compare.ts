/** Figures by the name of their cell: how much of something a packet or a round trip takes. */
export type Counts = Readonly<Record<string, number>>;

/** How much more than stored is let pass, as a part of it: one hash more is 5 % of the instructions of a packet of 64 bytes. */
const SLACK = 0.04;
/** Of bytes: V8 finds sooner or later, or not, that an object need not be there, which is 130 bytes of 3,000. */
const BYTES_SLACK = 0.08;
/** And in whole pieces, for what is counted in ones: now and then two events share a system call. */
const LEAST_SLACK = 0.1;

export interface Verdict {
  /** What has to be mended, one line for each cell. */
  readonly failures: readonly string[];
  /** What has become so much less that the stored figure would let it come back. */
  readonly better: readonly string[];
}

export function compare(stored: Counts, counted: Counts): Verdict {
  const failures: string[] = [];
  const better: string[] = [];
  for (const [cell, now] of Object.entries(counted)) {
    const then = stored[cell];
    const slack = cell.includes(": bytes ") ? BYTES_SLACK : SLACK;
    if (then === undefined) failures.push(`${cell}: ${now}, and nothing stored`);
    else if (now > then * (1 + slack) + LEAST_SLACK) failures.push(`${cell}: ${now}, stored ${then}`);
    else if (now < then * (1 - slack) - LEAST_SLACK) better.push(`${cell}: ${now}, stored ${then}`);
  }
  for (const cell of Object.keys(stored)) {
    if (counted[cell] === undefined) failures.push(`${cell}: stored, and not counted any more`);
  }
  return { failures, better };
}
