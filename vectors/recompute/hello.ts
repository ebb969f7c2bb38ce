import { toHex } from "@pawl/protocol";
import { TERMINATE_REASONS } from "../../packages/protocol/src/reasons.ts";
import { violationOf } from "../../packages/protocol/src/testing/peers.ts";
import { clientOf, hexAccepted, hexCommits, hexRecord, serverOf, takeStep } from "../hello-play.ts";
import { bytes, type HelloVectors } from "../load.ts";
import { fill } from "./schedule.ts";

export function recomputeHello(file: HelloVectors & Record<string, unknown>): Record<string, unknown> {
  return {
    ...file,
    server: file.server.map((v) => {
      const { peer, database, clones } = serverOf(v);
      peer.receive(bytes(v.hello));
      const first = {
        outcome: violationOf(peer.end) ?? "CHALLENGE",
        staleEpochEvent: peer.reports.some((report) => report.type === "stale-epoch"),
        cloneDetectedEvent: clones() > 0,
        commits: hexCommits(peer.commits),
        challenge: toHex(peer.sent[0] ?? new Uint8Array()),
      };
      const then = (v.then ?? []).map((step) => {
        const done = takeStep(v, step, { peer, database, clones });
        if (step.op === "database") return step;
        if (step.op === "aggregate") return fill(step, { frame: done.sent[0] ?? "" });
        const { end } = peer;
        const gives =
          done.delivered > 0
            ? "data"
            : end?.kind === "terminated" && end.by === "peer"
              ? "terminate"
              : "ended";
        return fill(step, {
          gives,
          commits: done.commits,
          cloneDetectedEvent: done.clones > 0,
          terminateReason: end?.kind === "terminated" ? TERMINATE_REASONS[end.reason] : null,
          terminate: done.sent[0] ?? "",
        });
      });
      return fill(v, {
        ...first,
        then,
        serverAfter: v.serverAfter
          ? fill(v.serverAfter, hexRecord(database, v.clientId, v.serverAfter))
          : null,
        acceptedAfter: hexAccepted(database, v.clientId),
      });
    }),
    client: file.client.map((v) => {
      const peer = clientOf(v);
      if (peer === null) return fill(v, { outcome: "refused", hello: null, commits: [] });
      peer.start();
      const hello = toHex(peer.sent[0] ?? new Uint8Array());
      peer.receive(bytes(v.challenge ?? ""));
      const outcome = violationOf(peer.end) ?? "ready";
      return fill(v, { hello, outcome, commits: hexCommits(peer.commits) });
    }),
  };
}
