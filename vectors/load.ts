import { readFileSync } from "node:fs";
import { fromHex } from "@pawl/protocol";

/** The vector files as typed data. What each field means stands in README.md. */

export type Hex = string;

export interface ScheduleVectors {
  expand: { id: string; k: Hex; label: string; ctx: Hex; n: number; info: Hex; out: Hex }[];
  epochs: {
    id: string;
    suite: number;
    clientId: number;
    epoch: number;
    E: Hex;
    hello: Hex;
    challenge: Hex;
    S: Hex;
    Enext: Hex | null;
    helloEnc: Hex;
    challengeEnc: Hex;
    helloMac?: Hex;
    challengeMac?: Hex;
  }[];
  forward: { id: string; suite: number; clientId: number; E0: Hex; epoch: number; E: Hex }[];
  import: {
    id: string;
    suite: number;
    clientId: number;
    service: string;
    enrolment: number;
    psk: Hex;
    extract?: Hex;
    E0?: Hex;
    check?: Hex;
    error?: string;
  }[];
  traffic: { id: string; suite: number; S: Hex; T: Hex; c2s: ChainVector; s2c: ChainVector }[];
  ratchet: { id: string; suite: number; chain: Hex; enc: Hex; mac?: Hex; iv: Hex; tag: Hex; next: Hex }[];
  classic: { id: string; basekey: Hex; clientId: number; master: Hex; enc: Hex; mac: Hex }[];
  classicEvolve: { id: string; enc: Hex; mac: Hex; message: Hex; nextEnc: Hex; nextMac: Hex }[];
}
export interface ChainVector {
  chain: Hex;
  enc: Hex;
  mac?: Hex;
}

export interface KeysVector {
  chain?: Hex;
  enc: Hex;
  mac?: Hex;
}
export interface CommitVector {
  from: number;
  to: number;
  secret: Hex;
}
export interface RecordVector {
  suite: number;
  generation?: number;
  epoch?: number;
  secret?: Hex;
  basekey?: Hex;
  revoked?: boolean;
  window?: number;
}
export interface PacketVector {
  name: string;
  direction: "c2s" | "s2c";
  opcode: number;
  epoch: number;
  round: number;
  kind?: number;
  padding?: string;
  message: Hex;
  plaintext: Hex;
  keys: KeysVector;
  iv: Hex;
  frame: Hex;
  after?: KeysVector;
  nonce?: Hex;
  helloHash?: Hex;
  reason?: number;
  crosses?: boolean;
  serverCommits?: CommitVector[];
  clientCommits?: CommitVector[];
}
export interface SessionVector {
  id: string;
  suite: number;
  clientId: number;
  client: { epoch?: number; secret?: Hex; last?: Hex; basekey?: Hex };
  server: RecordVector;
  maxMessage: number;
  traffic?: { epoch: number; helloHash: Hex; challengeHash: Hex; T: Hex; S: Hex; c2s: Hex; s2c: Hex };
  packets: PacketVector[];
}
export interface PacketsVectors {
  sessions: SessionVector[];
  padding: { id: string; policy: string; messageLength: number; limit: number; plaintextLength: number }[];
  plaintexts: {
    id: string;
    message?: Hex;
    kind?: number;
    policy?: string;
    plaintext: Hex;
    error?: string;
  }[];
}

export interface StateVector {
  id: string;
  role: "client" | "server";
  suite: number;
  clientId: number | null;
  phase: string;
  runs?: number[];
  rx?: number;
  tx?: number;
  c2s?: Hex | KeysVector;
  s2c?: Hex | KeysVector;
  maxMessage?: number;
  stored?: { generation?: number; epoch: number; secret: Hex };
  frameLimit: number;
  session: string | null;
  after: string[] | null;
}
export interface NegativeVectors {
  database: Record<string, RecordVector>;
  states: StateVector[];
  cases: {
    id: string;
    state: string;
    frame: Hex;
    error: string | null;
    also?: string[];
    gives?: string;
    reason?: number;
    commits?: [number, number][];
    note?: string;
  }[];
}

export interface HelloVectors {
  server: {
    id: string;
    suite: number;
    clientId: number;
    server: RecordVector | null;
    accepted?: { epoch: number; T: Hex } | null;
    helloEpoch: number;
    hello: Hex;
    outcome: string;
    staleEpochEvent: boolean;
    staleEpochEventOpen?: boolean;
    cloneDetectedEvent: boolean;
    commits: CommitVector[];
    serverNonce?: Hex;
    challengeIv?: Hex;
    maxMessage?: number;
    challenge?: Hex;
    then?: HelloStep[];
    serverAfter?: RecordVector | null;
    acceptedAfter?: { epoch: number; T: Hex } | null;
  }[];
  client: {
    id: string;
    suite: number;
    clientId: number;
    client: { epoch: number; secret: Hex; last: Hex };
    nonce?: Hex;
    helloIv?: Hex;
    hello: Hex | null;
    challenge?: Hex;
    outcome: string;
    T?: Hex;
    c2s?: Hex;
    s2c?: Hex;
    maxMessage?: number;
    commits: CommitVector[];
  }[];
}
export type HelloStep =
  | {
      op: "packet";
      frame: Hex;
      gives: string;
      commits: CommitVector[];
      cloneDetectedEvent?: boolean;
      terminateReason?: number | null;
      terminateIv?: Hex;
      terminate?: Hex;
    }
  | { op: "database"; record: RecordVector; accepted: { epoch: number; T: Hex } | null }
  | { op: "aggregate"; message: Hex; iv: Hex; frame: Hex };

export interface FramingVectors {
  limits: {
    id: string;
    suite: number;
    role: string;
    phase: string;
    maxMessage: number;
    least: number;
    most: number;
  }[];
  prefixes: { id: string; state: string; bytes: Hex; error: string | null }[];
  streams: {
    id: string;
    session: string;
    direction: "c2s" | "s2c";
    receiver: "client" | "server";
    packets: string[];
    boundaries: number[];
    stream: Hex;
    cuts: { from: number; to: number; packets: number; error: string | null }[];
  }[];
  ends: { id: string; state: string; bytes: Hex; error: string | null }[];
}

export interface ValuesVectors {
  messages: { id: string; message: Hex; value: string }[];
  products: {
    id: string;
    messages: { text: string; times: number }[];
    contributors: number;
    overflow: boolean;
    aggregate?: string | null;
    aggregateLength?: number;
    aggregateSha256?: string;
  }[];
  json: {
    id: string;
    round: number;
    contributions: string[] | { text: string; times: number };
    covers: number;
    toContributors: Record<string, unknown>[];
    toCovers?: Record<string, unknown>;
    valueSha256?: string;
  }[];
  rounds: { id: string; steps: (string | number)[][]; answers: Record<string, unknown> }[];
}

export interface AggregatesVectors {
  rounds: { id: string; messages: string[]; aggregate: string | null; also: Record<string, string | null> }[];
}

export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), "utf8")) as T;
}

export const bytes = fromHex;
