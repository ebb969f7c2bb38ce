import { StoreError } from "./errors.ts";

/** For whoever asks something of a store that is closed. */
export function storeClosed(): StoreError {
  return new StoreError("the key store is closed");
}
