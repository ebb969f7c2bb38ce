import type { CredentialStore } from "@pawl/client";
import type { KeyStore } from "@pawl/server/keys";

/** Where those wait who may not go on yet. */
export class Gate {
  #isOpen = false;
  #arrived = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #expecting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** Resolves when the gate is open. */
  async pass(): Promise<void> {
    this.#arrived++;
    for (const { count, resolve } of this.#expecting) if (this.#arrived >= count) resolve();
    if (!this.#isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when so many have come to it. @throws where they have not after `within` milliseconds */
  async arrivals(count = 1, within = 2_000): Promise<void> {
    if (this.#arrived >= count) return;
    await new Promise<void>((resolve, reject) => {
      const late = new Error(`${this.#arrived} came to commit after ${within} ms, where ${count} were due`);
      const timer = setTimeout(() => reject(late), within);
      this.#expecting.push({
        count,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
  }

  open(): void {
    this.#isOpen = true;
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** A store with some methods of its own. */
export function withMethods<Store extends KeyStore | CredentialStore>(
  store: Store,
  own: Partial<Store>,
): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const method: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
}

/** For a server that others follow on the same store: its end does not close it. */
export function keptOpen(keys: KeyStore, own: Partial<KeyStore> = {}): KeyStore {
  return withMethods(keys, { close: async () => {}, ...own });
}
