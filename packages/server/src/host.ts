import type { ClientId } from "@pawl/protocol";
import type { Application } from "./application.ts";
import type { HandshakeBuckets } from "./bucket.ts";
import type { ChallengeBudget } from "./challenge-budget.ts";
import type { Connection } from "./connection.ts";
import type { Derivations } from "./derive.ts";
import type { EventBus } from "./events.ts";
import type { HalfOpenTable } from "./half-open.ts";
import type { ResolvedOptions } from "./options.ts";
import type { StoreHealth } from "./store-health.ts";

/** What a connection's look-ups and commits need of its server. */
export interface RecordHost {
  readonly options: ResolvedOptions;
  readonly events: EventBus;
  readonly buckets: HandshakeBuckets;
  readonly budget: ChallengeBudget;
  readonly derivations: Derivations;
  readonly health: StoreHealth;
  isLive(clientId: ClientId): boolean;
  /** Whether one more client may become live. */
  hasRoomFor(clientId: ClientId): boolean;
}

/** What a connection needs of its server. */
export interface ConnectionHost extends RecordHost {
  readonly application: Application;
  readonly halfOpen: HalfOpenTable<Connection>;
  /** CHALLENGE is on its way: the connection has a client from here on. */
  greeted(connection: Connection): void;
  becameLive(connection: Connection): void;
  ended(connection: Connection): void;
}
