import { utf8 } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { cut, is, type ObservedFrame, type Program, Recording, until } from "../mitm/index.ts";
import type { Mitm, Stage } from "../stage.ts";
import { Folder, victimWithFile } from "../world/on-disk.ts";
import { outcomeOf, type Victim } from "../world/victim.ts";
import { BASEKEY } from "../world/world.ts";
import { eagerWorld } from "./support/private-world.ts";
import { bySession, packetOf, type Reading, read, readWithSecret, sum } from "./support/reading.ts";
import { classicStart, type Holder, handshakeKeys, openPacket } from "./support/schedule.ts";

const SESSIONS = 3;
/** A secret is random: of its 32 bytes most differ. Text, numbers and empty room are left out by that. */
const DISTINCT = 22;
/** 32 bytes as text, wherever it begins. */
const TEXTS = [
  ["base64url", /(?=([A-Za-z0-9_-]{43}))/g],
  ["hex", /(?=([0-9a-f]{64}))/gi],
] as const;

export const stolenStores: Attack = {
  id: "stolen-stores",
  claim: "forward-secrecy",
  title: "All that is stored, taken after the sessions",
  adversary:
    "Who has recorded every session, and then takes the server's key database and the client's file.",
  steps: [
    "A client has several sessions. The attacker copies the database's files and the client's, as they are then.",
    "He tries the secrets in them on every recorded session, and then every 32 bytes of the files.",
    "The client has sessions again, and he tries the copy on those.",
    "He cuts a client off at its first DATA, and takes the server's secret before it comes back.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness: "In classic who learns basekey decrypts every session ever recorded (PROTOCOL.md, 3.3 b).",
  needs: ["own-server"],
  run: (stage) => (stage.suite.strict ? takeFiles(stage) : takeBaseKey(stage)),
};

async function* takeBaseKey(stage: Stage): AsyncGenerator<Case, void> {
  const victim = await stage.victim();
  const mitm = await stage.mitm();
  await haveSessions(victim, mitm);
  const readings = bySession(mitm.recording.frames()).map((frames) =>
    read(frames, [classicStart(BASEKEY, victim.clientId)]),
  );
  const did = `tried basekey on ${readings.length} sessions that were over long ago`;
  yield resultOf("every session", did, readings, mitm.recording);
}

async function* takeFiles(stage: Stage): AsyncGenerator<Case, void> {
  const folder = await Folder.make();
  stage.defer(() => folder.remove());
  const recording = new Recording();
  const open = async () => {
    const keys = await folder.openDatabase();
    const world = await eagerWorld(stage, { keys });
    return { world, mitm: await stage.mitm({ upstream: world.at, recording }) };
  };
  const first = await open();
  const victim = await victimWithFile(first.world, folder);
  await haveSessions(victim, first.mitm);
  await first.world.close();
  const stolen = await folder.copy();
  stage.defer(() => stolen.remove());
  const past = bySession(recording.frames());

  const second = await open();
  await haveSessions(victim, second.mitm);
  const later = bySession(recording.frames()).slice(past.length);

  const client = await stolen.secretOf(victim.clientId);
  const database = await stolen.openDatabase();
  const server = await database.lookUp(victim.clientId);
  await database.close();
  if (server === null) throw new Error("the copy of the database has no such client");
  const holder = { suite: stage.suite, clientId: victim.clientId };
  const tried = (sessions: readonly (readonly ObservedFrame[])[]) =>
    [server, client].map(({ epoch, secret }) =>
      sessions.map((frames) => readWithSecret(frames, secret, { ...holder, epoch })),
    );
  const best = (of: readonly Reading[][]) =>
    of.reduce((a, b) => (sum(a).opened >= sum(b).opened ? a : b)) as readonly Reading[];

  const who = `the secrets of server (epoch ${server.epoch}) and client (epoch ${client.epoch})`;
  yield resultOf(
    "sessions of before",
    `tried ${who} on the sessions of before`,
    best(tried(past)),
    recording,
  );
  yield await searchFiles(stolen, past, holder, recording);
  yield {
    ...resultOf("sessions of later", `tried ${who} on the sessions of later`, best(tried(later)), recording),
    // Not promised: a copy of a store opens all that follows it, passively (PROTOCOL.md, 4.6).
    expected: "works",
  };
  yield await theWindow(stage, victim, second.world.at, false);
  yield await theWindow(stage, victim, second.world.at, true);

  /** The stored secret, before the client has come back. */
  async function theWindow(
    { suite }: Stage,
    { clientId }: Victim,
    upstream: Stage["at"],
    coverFirst: boolean,
  ): Promise<Case> {
    const mitm = await stage.mitm({ upstream, program: cutAtData });
    const text = "said once, and never answered";
    const connected = await outcomeOf(victim.connect(mitm, { coverFirst }));
    if (connected.value !== null) await outcomeOf(connected.value.send(text));
    const frames = mitm.recording.frames();
    const record = await second.world.keys.lookUp(clientId);
    if (record === null) throw new Error("the client is gone");
    const reading = readWithSecret(frames, record.secret, { suite, clientId, epoch: record.epoch });
    const data = frames.find(is("DATA"));
    const message = data === undefined ? null : (reading.messages.get(data) ?? null);
    const found = message !== null && Buffer.from(message).equals(Buffer.from(utf8(text)));
    return {
      name: coverFirst ? "a first DATA that was held, a cover" : "a first DATA that was held",
      did: "cut a client off at its first DATA, and took the server's secret before it came back",
      happened: found ? "he read the message" : "what he opened held no message",
      worked: found,
      // The window of PROTOCOL.md, 4.6; a cover closes it.
      expected: coverFirst ? "fails" : "works",
      refusedBy: null,
      due: null,
      figures: { opened: reading.opened, of: reading.of },
      recording: mitm.recording,
    };
  }
}

async function haveSessions(victim: Victim, mitm: Mitm): Promise<void> {
  for (let n = 0; n < SESSIONS; n++) {
    const session = await victim.connect(mitm);
    await victim.say(session);
    await victim.say(session);
    await session.close();
  }
}

function* cutAtData(): Program {
  yield* until(is("DATA"));
  yield cut("rst");
}

/** Every 32 bytes that could be a secret, in whatever file and wherever, as the secret of each session. */
async function searchFiles(
  stolen: Folder,
  sessions: readonly (readonly ObservedFrame[])[],
  holder: Omit<Holder, "epoch">,
  recording: Recording,
): Promise<Case> {
  const hellos = sessions.flatMap((frames) => frames.find(is("HELLO")) ?? []);
  let [tried, found] = [0, 0];
  for (const bytes of await stolen.bytes()) {
    for (const candidate of candidatesIn(bytes)) {
      tried++;
      for (const hello of hellos) {
        const epoch = hello.header?.epoch;
        if (epoch === undefined) continue;
        const keys = handshakeKeys(candidate, { ...holder, epoch }, "c2s hello");
        if (openPacket(holder.suite, keys, packetOf(hello)) !== null) found++;
      }
    }
  }
  return {
    name: "anything in the files",
    did: `tried every 32 bytes of the files that look random, ${tried}, as the secret of each earlier session`,
    happened: found === 0 ? "none was one" : `${found} of them opened a session's HELLO`,
    worked: found > 0,
    refusedBy: null,
    due: null,
    figures: { tried, found },
    recording,
  };
}

/** As they stand there, and as text that stands for them in base64url or in hex. */
function* candidatesIn(bytes: Uint8Array): Generator<Uint8Array, void> {
  const looksRandom = (candidate: Uint8Array) => new Set(candidate).size >= DISTINCT;
  for (let at = 0; at + 32 <= bytes.length; at++) {
    const candidate = bytes.subarray(at, at + 32);
    if (looksRandom(candidate)) yield candidate;
  }
  const text = Buffer.from(bytes).toString("latin1");
  for (const [encoding, pattern] of TEXTS) {
    for (const [, encoded] of text.matchAll(pattern)) {
      const candidate = Buffer.from(encoded ?? "", encoding);
      if (looksRandom(candidate)) yield candidate;
    }
  }
}

function resultOf(name: string, did: string, readings: readonly Reading[], recording: Recording): Case {
  const { opened, of } = sum(readings);
  return {
    name,
    did,
    happened: `${opened} of ${of} packets opened`,
    worked: opened > 0,
    refusedBy: null,
    due: null,
    figures: { opened, of },
    recording,
  };
}
