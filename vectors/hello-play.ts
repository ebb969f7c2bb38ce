import {
  type Accepted,
  type ClientId,
  ClientSession,
  defaultCrypto,
  type Epoch,
  EpochExhaustedError,
  ServerSession,
  SUITES,
  toHex,
} from "@pawl/protocol";
import {
  ClientPeer,
  type MadeCommit,
  ServerPeer,
  TestDatabase,
} from "../packages/protocol/src/testing/peers.ts";
import { bytes, type CommitVector, type HelloStep, type HelloVectors, type RecordVector } from "./load.ts";
import { recordOf, suiteOf } from "./play.ts";

/** Plays the cases of hello.json. */

type ServerCase = HelloVectors["server"][number];
type AcceptedVector = { epoch: number; T: string } | null;

export function acceptedOf(v: AcceptedVector | undefined): Accepted | null {
  return v ? { epoch: v.epoch as Epoch, t: bytes(v.T) } : null;
}

export function hexCommits(made: readonly MadeCommit[]): CommitVector[] {
  return made.map(({ from, to, secret }) => ({ from, to, secret: toHex(secret) }));
}

export function hexAccepted(database: TestDatabase, id: number): AcceptedVector {
  const accepted = database.read(id as ClientId)?.accepted ?? null;
  return accepted === null ? null : { epoch: accepted.epoch, T: toHex(accepted.t) };
}

/** What is stored, in the words of the vectors; `window` only where it is not 64. */
export function hexRecord(database: TestDatabase, id: number, like: RecordVector): RecordVector {
  const record = database.read(id as ClientId);
  if (record === null) throw new RangeError(`client ${id} is gone`);
  const { epoch, revoked, window } = record;
  return {
    suite: record.suite.id,
    generation: Number(record.generation),
    epoch,
    secret: toHex(record.secret),
    revoked,
    ...(like.window === undefined && window === 64 ? {} : { window }),
  };
}

export interface ServerPlay {
  readonly peer: ServerPeer;
  readonly database: TestDatabase;
  /** How many clone-detected events there were. */
  readonly clones: () => number;
}

export function serverOf(v: ServerCase): ServerPlay {
  const database = new TestDatabase();
  if (v.server !== null)
    database.put({ ...recordOf(v.clientId, v.server), accepted: acceptedOf(v.accepted) });
  const session = new ServerSession({
    crypto: defaultCrypto(),
    suites: SUITES,
    maxMessage: v.maxMessage ?? 1 << 20,
  });
  const peer = new ServerPeer(database, { session }, () => ({
    nonce: bytes(v.serverNonce ?? "00".repeat(32)),
    iv: bytes(v.challengeIv ?? "00".repeat(16)),
  }));
  return { peer, database, clones: () => peer.reports.filter((r) => r.type === "clone-detected").length };
}

/** What one step made: frames and commits in hex, and how many messages and clone events. */
export function takeStep(v: ServerCase, step: HelloStep, { peer, database, clones }: ServerPlay) {
  const before = {
    sent: peer.sent.length,
    commits: peer.commits.length,
    delivered: peer.delivered.length,
    clones: clones(),
  };
  const useIv = (iv: string) => {
    peer.entropy = () => ({ nonce: new Uint8Array(32), iv: bytes(iv) });
  };
  if (step.op === "database") {
    database.put({ ...recordOf(v.clientId, step.record), accepted: acceptedOf(step.accepted) });
  } else if (step.op === "aggregate") {
    useIv(step.iv);
    peer.answer(bytes(step.message));
  } else {
    if (step.terminateIv !== undefined) useIv(step.terminateIv);
    peer.receive(bytes(step.frame));
  }
  return {
    sent: peer.sent.slice(before.sent).map(toHex),
    commits: hexCommits(peer.commits.slice(before.commits)),
    delivered: peer.delivered.length - before.delivered,
    clones: clones() - before.clones,
  };
}

/** Null where the client refuses to open a connection. */
export function clientOf(v: HelloVectors["client"][number]): ClientPeer | null {
  const options = {
    suite: suiteOf(v.suite),
    clientId: v.clientId as ClientId,
    epoch: v.client.epoch as Epoch,
    last: bytes(v.client.last),
  };
  try {
    const session = new ClientSession({
      crypto: defaultCrypto(),
      ...options,
      secret: bytes(v.client.secret),
    });
    const entropy = { nonce: bytes(v.nonce ?? ""), iv: bytes(v.helloIv ?? "") };
    return new ClientPeer({ ...options, secret: bytes(v.client.secret), session }, () => entropy);
  } catch (error) {
    if (error instanceof EpochExhaustedError) return null;
    throw error;
  }
}
