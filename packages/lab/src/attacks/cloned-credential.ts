import { setTimeout as sleep } from "node:timers/promises";
import type { EventOf } from "@pawl/server";
import type { Attack, Case } from "../attack.ts";
import { Recording } from "../mitm/index.ts";
import type { Mitm, Stage } from "../stage.ts";
import { Folder, victimWithFile } from "../world/on-disk.ts";
import { Victim } from "../world/victim.ts";
import type { World } from "../world/world.ts";
import { callOf, oneSession } from "./support/outcome.ts";
import { eagerWorld } from "./support/private-world.ts";

/** How long a revoked client's session is looked at, milliseconds. */
const LOOK_MS = 1_000;

export const clonedCredential: Attack = {
  id: "cloned-credential",
  claim: "clone",
  title: "A copy of a client's file, used beside the client",
  adversary: "Who has copied a client's credential once, and uses the copy as a client of his own.",
  steps: [
    "The attacker copies a client's file, and uses it when the client has had a session; and the other way round.",
    "Both are used at once. The copy is used one step ahead of its original.",
    "The next contact of the one that fell behind, or was ahead, shows that there are two.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness: "Classic has no epochs: nothing tells a copy from its original (PROTOCOL.md, 4.6).",
  needs: ["own-server"],
  async *run(stage) {
    const world = await eagerWorld(stage);
    const folder = await Folder.make();
    stage.defer(() => folder.remove());
    if (!stage.suite.strict) {
      yield await sideBySide(stage, world, folder);
      return;
    }
    yield await behind(stage, world, folder, "copy");
    yield await behind(stage, world, folder, "owner");
    yield await atOnce(stage, world, folder);
    const strictWorld = await eagerWorld(stage, { onClone: "revoke" });
    yield await oneAhead(stage, strictWorld, folder);
  },
};

interface Two {
  readonly owner: Victim;
  readonly copy: Victim;
  readonly recording: Recording;
  /** Where both connect: a man in the middle who only looks. */
  readonly at: Mitm;
}

async function two(stage: Stage, world: World, folder: Folder): Promise<Two> {
  const owner = await victimWithFile(world, folder);
  const elsewhere = await folder.copy();
  stage.defer(() => elsewhere.remove());
  const { clientId, suite, prime } = owner;
  const copy = new Victim({ clientId, suite, prime, store: elsewhere.credential(clientId) });
  const recording = new Recording();
  return { owner, copy, recording, at: await stage.mitm({ upstream: world.at, recording }) };
}

async function sideBySide(stage: Stage, world: World, folder: Folder): Promise<Case> {
  const { owner, copy, recording, at } = await two(stage, world, folder);
  await oneSession(owner, at);
  const used = await callOf(oneSession(copy, at));
  const again = await callOf(oneSession(owner, at));
  const events = world.events.all("violation").length;
  return {
    name: "one after the other",
    did: "used the copy when the client had gone",
    happened: `the copy ${used.text}; the client, back again, ${again.text}; the server named ${events} violations`,
    worked: used.ok && again.ok,
    refusedBy: null,
    due: null,
    recording,
  };
}

/** Who has not been used falls behind with the other's first session. */
async function behind(stage: Stage, world: World, folder: Folder, who: "copy" | "owner"): Promise<Case> {
  const { owner, copy, recording, at } = await two(stage, world, folder);
  const [first, second] = who === "copy" ? [owner, copy] : [copy, owner];
  await oneSession(first, at);
  const contact = await callOf(second.connect(at));
  const event = await eventOf(world, "stale-epoch", owner);
  return {
    name: who === "copy" ? "the copy comes second" : "the client comes second",
    did:
      who === "copy"
        ? "used the copy when the client had had a session"
        : "had a session with the copy, before the client came back",
    happened: `${who === "copy" ? "the copy" : "the client"} ${contact.text}${said(event)}`,
    worked: contact.ok,
    refusedBy: event?.type ?? null,
    due: ["stale-epoch"],
    recording,
  };
}

async function atOnce(stage: Stage, world: World, folder: Folder): Promise<Case> {
  const { owner, copy, recording, at } = await two(stage, world, folder);
  const [session, other] = await Promise.all([owner.connect(at), copy.connect(at)]);
  const first = await callOf(owner.say(session));
  const contact = await callOf(copy.say(other));
  const event = await eventOf(world, "clone-detected", owner);
  return {
    name: "both at once",
    did: "greeted the server with the copy while the client did, and let the client speak first",
    happened: `the client ${first.text}; the copy ${contact.text}${said(event)}`,
    worked: contact.ok || !first.ok,
    refusedBy: event?.type ?? null,
    due: ["clone-detected"],
    recording,
  };
}

/** Such a HELLO is answered; that it shows can be seen from outside where the operator has clones revoked. */
async function oneAhead(stage: Stage, world: World, folder: Folder): Promise<Case> {
  const { owner, copy, recording, at } = await two(stage, world, folder);
  const session = await owner.connect(at);
  const ahead = await copy.connect(at);
  at.connection.cut("rst");
  await ahead.closed;
  const first = await callOf(owner.say(session));
  const contact = await callOf(oneSession(copy, at));
  const event = await eventOf(world, "clone-detected", owner);
  const end = await Promise.race([session.closed, sleep(LOOK_MS, null, { ref: false })]);
  return {
    name: "the copy one step ahead",
    did: "moved the copy forward by a session that he cut, let the client speak, and came back; clones are revoked",
    happened: `the client ${first.text}, then its session ${end === null ? "went on" : `ended (${end.reason})`}; the copy ${contact.text}${said(event)}`,
    worked: contact.ok || end?.reason !== "revoked",
    refusedBy: event?.type ?? null,
    due: ["clone-detected"],
    recording,
  };
}

type CloneEvent = "stale-epoch" | "clone-detected";

function eventOf<T extends CloneEvent>(
  world: World,
  type: T,
  { clientId }: Victim,
): Promise<EventOf<T> | null> {
  return world.events.find(type, (event) => (event as EventOf<CloneEvent>).clientId === clientId);
}

function said(event: EventOf<CloneEvent> | null): string {
  return event === null ? "; no event" : `; event ${event.type} at epoch ${event.epoch}`;
}
