import { randomFillSync } from "node:crypto";

/** Fresh random bytes from a CSPRNG, as a parameter everywhere, so that a run can be repeated. */
export type Random = (length: number) => Uint8Array;

const POOL_BYTES = 4096;

/** The system's CSPRNG, drawn in pools: a small request costs a copy, not a call. Bytes given out are wiped from the pool. */
export function pooledRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let at = POOL_BYTES;
  return (length) => {
    if (length > POOL_BYTES / 4) return randomFillSync(new Uint8Array(length));
    if (at + length > POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    const out = pool.slice(at, at + length);
    pool.fill(0, at, at + length);
    at += length;
    return out;
  };
}

export const systemRandom: Random = pooledRandom();
