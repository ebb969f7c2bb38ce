import type { SuiteName } from "@pawl/protocol";
import type { Attack } from "../../attack.ts";
import { flipBit, Recording } from "../../mitm/index.ts";
import { headerOf } from "../../mitm/observed.ts";
import type { AttackResult, CaseResult } from "../../run-attack.ts";
import type { LabReport } from "../../runner.ts";
import { sampleFrame } from "./frames.ts";

/** One case, refused by its tag, with a recording of a whole exchange in which one bit was turned. */
export function sampleCase(change: Partial<CaseResult> = {}): CaseResult {
  return {
    name: "tag, bit 0",
    did: "turned a bit",
    happened: "the server sent not a byte and closed (FIN)",
    worked: false,
    refusedBy: "HmacError",
    due: ["HmacError"],
    verdict: "held",
    recording: sampleRecording(),
    ...change,
  };
}

function sampleRecording(): Recording {
  const recording = new Recording();
  const connection = 1;
  recording.add({ kind: "open", connection, client: "victim", server: "victim", port: 1 });
  for (const [index, opcode] of (["HELLO", "CHALLENGE", "DATA"] as const).entries()) {
    const direction = opcode === "CHALLENGE" ? "s2c" : "c2s";
    const bytes = sampleFrame({ opcode, direction, round: opcode === "DATA" ? 1 : 0 });
    const altered = opcode === "DATA";
    const did = altered ? "a bit turned" : "passed";
    recording.add({
      kind: "seen",
      connection,
      index: index + 1,
      direction,
      bytes,
      header: headerOf(bytes.subarray(4)),
      did,
    });
    const on = altered ? flipBit(bytes, bytes.length - 5, 0) : bytes;
    recording.add({
      kind: "sent",
      connection,
      direction,
      bytes: on,
      of: index + 1,
      note: altered ? did : null,
    });
  }
  recording.add({ kind: "end", connection, side: "server", how: "fin", by: "victim" });
  recording.note("the server: HmacError", connection);
  return recording;
}

export function sampleAttack(change: Partial<Attack> = {}): Attack {
  return {
    id: "tamper-tag",
    claim: "integrity",
    title: "A bit of the tag turned",
    adversary: "A man in the middle.",
    steps: ["A client speaks.", "The attacker turns a bit."],
    expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
    async *run() {},
    ...change,
  };
}

export function sampleResult(change: Partial<AttackResult> = {}): AttackResult {
  const attack = change.attack ?? sampleAttack();
  return {
    attack,
    claim: attack.claim,
    suite: "strict",
    expected: "fails",
    verdict: "held",
    cases: [sampleCase()],
    reason: null,
    ms: 12,
    ...change,
  };
}

export function sampleReport(results: readonly AttackResult[], change: Partial<LabReport> = {}): LabReport {
  const suites: readonly SuiteName[] = ["classic", "strict", "strict-gcm"];
  const latencies = Array.from({ length: 100 }, (_, index) => index + 1);
  const honest = suites.map((suite) => ({ suite, clients: 50, rounds: 1_234, wrong: [], latencies }));
  return { startedAt: "2026-11-26T10:20:30.123Z", ms: 4_200, results, honest, ok: true, ...change };
}
