import { ATTACKS, type Attack, CLAIMS } from "@pawl/lab";
import { SUITES } from "@pawl/protocol";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { table } from "../io.ts";
import { theAttack } from "../lab/choose.ts";
import { labRunCommand } from "./lab-run.ts";

export function labCommand(parent: Command, context: Context): void {
  const lab = parent
    .command("lab")
    .description("the attack lab: every promise of the protocol, and the attacks that try to break it");
  labRunCommand(lab, context);
  labListCommand(lab, context);
  labShowCommand(lab, context);
}

function labListCommand(parent: Command, context: Context): void {
  parent
    .command("list")
    .description("the catalogue: attacks, the claims they try, and what is expected of each suite")
    .addHelpText("after", "\nExamples:\n  pawl lab list\n  pawl lab list --json | jq -r .id")
    .action(() => {
      const { out } = context.start();
      for (const attack of ATTACKS) out.object(contentsOf(attack));
      const head = ["ATTACK", "CLAIM", ...SUITES.map(({ name }) => name.toUpperCase()), "TITLE"];
      const rows = ATTACKS.map(({ id, claim, expected, title }) => [
        id,
        claim,
        ...SUITES.map(({ name }) => expected[name]),
        title,
      ]);
      const [first = "", ...lines] = table([head, ...rows]);
      out.line(out.bold(first));
      for (const line of lines) out.line(line);
      out.line();
      out.line(
        "What is expected of the attack: that it fails, that it works (a weakness that is known), or that the",
      );
      out.line("suite has nothing to try it on (n/a). pawl lab show ATTACK tells more of one.");
    });
}

function labShowCommand(parent: Command, context: Context): void {
  parent
    .command("show")
    .description("one attack: the claim, the attacker, the steps, what is expected")
    .argument("<attack>", "as pawl lab list names it")
    .addHelpText("after", "\nExample:\n  pawl lab show replay-data")
    .action((id: string) => {
      const { out } = context.start();
      const attack = theAttack(id);
      out.object(contentsOf(attack));
      const { promise, section, assumption } = CLAIMS[attack.claim];
      out.line(out.bold(`${attack.id}: ${attack.title}`));
      out.line();
      const steps = attack.steps.map((step, index) => `${index + 1}. ${step}`);
      const expected = SUITES.map(({ name }) => `${name}: ${attack.expected[name]}`);
      const parts: readonly (readonly [string, readonly string[]])[] = [
        ["Claim", [`${attack.claim}: ${promise}`, `docs/PROTOCOL.md, ${section}`]],
        ["Rests on", [assumption]],
        ["Attacker", [attack.adversary]],
        ["Steps", steps],
        ["Expected", expected],
        ["Because", attack.weakness === undefined ? [] : [attack.weakness]],
      ];
      for (const [name, lines] of parts)
        for (const [index, line] of lines.entries())
          out.line(`${(index === 0 ? name : "").padEnd(10)}${line}`);
    });
}

/** What is known of an attack before it is run. */
function contentsOf({ run: _run, ...attack }: Attack): object {
  return { ...attack, promise: CLAIMS[attack.claim].promise, section: CLAIMS[attack.claim].section };
}
