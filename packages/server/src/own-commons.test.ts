import { commonsConformance } from "./testing/commons-conformance.ts";

commonsConformance("OwnCommons", (own) => ({
  servers: [own],
  arrived: (_server, member) => own.arrived(member),
  settle: () => {},
}));
