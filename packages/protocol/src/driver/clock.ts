/** Time, as a parameter everywhere, so that tests never sleep. */
export interface Clock {
  /** Milliseconds since 1970, as this machine has it: it may be set, forward and back. For what is told or stored. */
  now(): number;
  /** Whole milliseconds since some moment, which nobody sets. For how long something takes, and when it is over. */
  elapsed(): number;
  /** Calls back once after `ms`, however long; returns what cancels it. The timer keeps the process alive. */
  after(ms: number, callback: () => void): () => void;
  /** As `after`, for what is put off again with each message: that costs a fraction of a timer of its own. */
  timer(ms: number, callback: () => void): Timer;
}

export interface Timer {
  /** Calls back `ms` from now instead, also where it has called back before. Not after `cancel`. */
  restart(): void;
  cancel(): void;
}

/** Node.js takes a longer time-out for one millisecond. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The timers of a clock that has no better ones. */
export function timersBy(after: Clock["after"]): Clock["timer"] {
  return (ms, callback) => {
    let cancel = after(ms, callback);
    return {
      restart: () => {
        cancel();
        cancel = after(ms, callback);
      },
      cancel: () => cancel(),
    };
  };
}

function after(ms: number, callback: () => void): () => void {
  if (ms > LONGEST_TIMEOUT_MS) return longAfter(ms, callback);
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

function longAfter(ms: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (left: number) => {
    const part = Math.min(left, LONGEST_TIMEOUT_MS);
    timer = setTimeout(() => (left > part ? arm(left - part) : callback()), part);
  };
  arm(ms);
  return () => clearTimeout(timer);
}

const longTimer = timersBy(after);

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => Math.trunc(performance.now()),
  after,
  timer: (ms, callback) => {
    if (ms > LONGEST_TIMEOUT_MS) return longTimer(ms, callback);
    const timer = setTimeout(callback, ms);
    return { restart: () => timer.refresh(), cancel: () => clearTimeout(timer) };
  },
};
