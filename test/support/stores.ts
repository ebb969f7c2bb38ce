import type { KeyStore } from "@pawl/server/keys";

/** A store with some methods of its own. */
export function withMethods(keys: KeyStore, own: Partial<KeyStore>): KeyStore {
  return new Proxy(keys, {
    get: (target, name) => {
      const method: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
}

/** A store whose next calls fail. Where commits fail, so does the probe. */
export function failing(keys: KeyStore, fails: { lookUp?: boolean; commit?: boolean }): KeyStore {
  const broken = () => Promise.reject(new Error("the disk is gone"));
  return withMethods(keys, {
    lookUp: (id) => (fails.lookUp ? broken() : keys.lookUp(id)),
    commit: (change) => (fails.commit ? broken() : keys.commit(change)),
    probe: () => (fails.commit ? broken() : keys.probe()),
  });
}
