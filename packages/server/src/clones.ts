import type { ClientId } from "@pawl/protocol";
import type { EventBus } from "./events.ts";
import { messageOf } from "./keys/message-of.ts";
import type { KeyStore } from "./keys/store.ts";

/**
 * Subscribes to `clone-detected`, which only a holder of a client's secret can cause, and revokes that client. Its
 * sessions, the owner's among them, then end as after any revocation.
 */
export function revokeClones(events: EventBus, keys: Pick<KeyStore, "revoke">): void {
  const underWay = new Set<ClientId>();
  events.on("clone-detected", ({ clientId, epoch, stored, connection, remoteAddress }) => {
    if (underWay.has(clientId)) return;
    underWay.add(clientId);
    const of = { connection, remoteAddress };
    keys
      .revoke(clientId, `clone detected: a session at epoch ${epoch} from ${remoteAddress}, ${stored} stored`)
      .then(
        () => events.emit({ type: "clone-revoked", clientId, epoch, ...of }),
        (error: unknown) =>
          events.emit({ type: "store-error", operation: "revoke", message: messageOf(error), ...of }),
      )
      .finally(() => underWay.delete(clientId));
  });
}
