import type { KeyStore } from "@pawl/server/keys";
import { withMethods } from "../../packages/server/src/keys/testing/with-methods.ts";

export { withMethods };

/** A store whose next calls fail. Where commits fail, so does the probe. */
export function failing(keys: KeyStore, fails: { lookUp?: boolean; commit?: boolean }): KeyStore {
  const broken = () => Promise.reject(new Error("the disk is gone"));
  return withMethods(keys, {
    lookUp: (id) => (fails.lookUp ? broken() : keys.lookUp(id)),
    commit: (change) => (fails.commit ? broken() : keys.commit(change)),
    probe: () => (fails.commit ? broken() : keys.probe()),
  });
}
