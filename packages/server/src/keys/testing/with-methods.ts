import type { KeyStore } from "../store.ts";

/** A store with some methods of its own. */
export function withMethods(keys: KeyStore, own: Partial<KeyStore>): KeyStore {
  return new Proxy(keys, {
    get: (target, name) => {
      const method: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
}
