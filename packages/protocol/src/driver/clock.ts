/** Time, as a parameter everywhere, so that tests never sleep. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `ms`, however long; returns what cancels it. The timer keeps the process alive. */
  after(ms: number, callback: () => void): () => void;
}

/** Node.js takes a longer time-out for one millisecond. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    let timer: NodeJS.Timeout;
    const arm = (left: number) => {
      const part = Math.min(left, LONGEST_TIMEOUT_MS);
      timer = setTimeout(() => (left > part ? arm(left - part) : callback()), part);
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};
