import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Attack, AttackResult, LabReport } from "@pawl/lab";
import type { Line, TrialPlan } from "./trials.ts";

/** The program of one trial: runs the lab of a copy of the packages, and says on stdout, line by line, what came of it. */

const plan = JSON.parse(process.argv[2] ?? "") as TrialPlan;
process.env.TMPDIR = plan.temporary;

/** From the copy, never from the checkout. */
function load(name: string): Promise<unknown> {
  return import(pathToFileURL(join(plan.modules, "@pawl", name, "dist/index.js")).href);
}

const { ATTACKS, runLab, isGood } = (await load("lab")) as typeof import("@pawl/lab");
const { suiteByName } = (await load("protocol")) as typeof import("@pawl/protocol");

function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// A build with a mistake may fail anywhere; the attacks that are under way beside it go on.
process.on("uncaughtException", (error) => say({ type: "failure", message: `uncaught: ${error.message}` }));

function finding({ attack, claim, verdict, cases, reason }: AttackResult): Line {
  const worst = cases.find((one) => one.verdict === verdict && !isGood(verdict));
  const why =
    worst === undefined ? reason : [worst.name, worst.did, worst.happened].filter(Boolean).join(": ");
  return { type: "finding", attack: attack.id, claim, verdict, why };
}

const suite = suiteByName(plan.suite);
if (suite === undefined) throw new Error(`there is no suite ${plan.suite}`);

function run(attacks: readonly Attack[]): Promise<LabReport | null> {
  if (suite === undefined || attacks.length === 0) return Promise.resolve(null);
  const options = { suites: [suite], attacks, honest: plan.honest, limitMs: plan.limitMs };
  return runLab({ ...options, onResult: (result) => say(finding(result)) });
}

const isQuiet = ({ needs }: Attack) => needs?.includes("quiet") === true;
const chosen = ATTACKS.filter(
  (attack) =>
    (plan.attacks?.includes(attack.id) ?? true) &&
    (plan.claims?.includes(attack.claim) ?? true) &&
    (!isQuiet(attack) || plan.quiet.includes(attack.id)),
);
say({ type: "plan", attacks: chosen.map(({ id }) => id) });

const lanes = Array.from({ length: plan.lanes }, (): Attack[] => []);
for (const [index, attack] of chosen.filter((one) => !isQuiet(one)).entries())
  lanes[index % plan.lanes]?.push(attack);
const reports = await Promise.allSettled(lanes.map(run));
reports.push(...(await Promise.allSettled([run(chosen.filter(isQuiet))])));
for (const report of reports) {
  if (report.status === "rejected") say({ type: "failure", message: String(report.reason) });
  for (const { wrong } of (report.status === "fulfilled" && report.value?.honest) || [])
    for (const what of wrong) say({ type: "harm", what });
}
say({ type: "end" });
// What a broken build has left open must not keep the process.
process.exit(0);
