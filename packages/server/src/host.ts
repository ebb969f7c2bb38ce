import type { Application } from "./application.ts";
import type { Commons } from "./commons.ts";
import type { Connection } from "./connection.ts";
import type { Derivations } from "./derive.ts";
import type { EventBus } from "./events.ts";
import type { ResolvedOptions } from "./options.ts";
import type { StoreHealth } from "./store-health.ts";

/** What a connection's look-ups and commits need of its server. */
export interface RecordHost {
  readonly options: ResolvedOptions;
  readonly events: EventBus;
  readonly commons: Commons;
  readonly derivations: Derivations;
  readonly health: StoreHealth;
}

/** What a connection needs of its server. */
export interface ConnectionHost extends RecordHost {
  readonly application: Application;
  ended(connection: Connection): void;
}
