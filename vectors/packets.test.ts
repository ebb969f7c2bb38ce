import { decodeHeader, defaultCrypto, parsePadding, SUITES, toHex } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { paddedLength, unwrap, wrap } from "../packages/protocol/src/padding.ts";
import { TERMINATE_REASONS } from "../packages/protocol/src/reasons.ts";
import { openPacket, sealFrame } from "../packages/protocol/src/record.ts";
import { bytes, type CommitVector, type PacketsVectors, readVectors } from "./load.ts";
import { Play, suiteOf } from "./play.ts";

const vectors = readVectors<PacketsVectors>("packets");

const hexCommits = (made: readonly { from: number; to: number; secret: Uint8Array }[]): CommitVector[] =>
  made.map(({ from, to, secret }) => ({ from, to, secret: toHex(secret) }));

describe("packets.json, sessions", () => {
  it.each(vectors.sessions)("$id, played on both sides", (vector) => {
    const play = new Play(vector);
    const clientCommits: CommitVector[] = [];
    const serverCommits: CommitVector[] = [];
    while (play.nextPacket !== undefined) {
      const knownReason = (code: number) => Object.values(TERMINATE_REASONS).some((value) => value === code);
      const sendable = play.nextPacket.opcode !== 60 || knownReason(bytes(play.nextPacket.message)[0] ?? 0);
      const { packet, frame } = play.produce();
      if (sendable) expect(toHex(frame ?? new Uint8Array())).toBe(packet.frame);
      if (packet.crosses) continue;
      play.give(packet, bytes(packet.frame));
      clientCommits.push(...(packet.clientCommits ?? []));
      serverCommits.push(...(packet.serverCommits ?? []));
      expect(hexCommits(play.client.commits)).toEqual(clientCommits);
      expect(hexCommits(play.server.commits)).toEqual(serverCommits);
      const receiver = packet.direction === "c2s" ? play.server : play.client;
      if (packet.opcode === 60) {
        const end = receiver.end;
        expect(end?.kind === "terminated" && end.by === "peer" && TERMINATE_REASONS[end.reason]).toBe(
          packet.reason,
        );
      } else if (packet.opcode >= 30) {
        expect(toHex(receiver.delivered.at(-1)?.message ?? new Uint8Array())).toBe(packet.message);
      }
    }
  });

  const packets = vectors.sessions.flatMap((session) =>
    session.packets.map((packet) => ({
      id: `${session.id}: ${packet.name}`,
      suite: suiteOf(session.suite),
      packet,
    })),
  );
  it.each(packets)("$id, sealed and opened with its keys", ({ suite, packet }) => {
    const frame = bytes(packet.frame);
    const body = frame.subarray(4);
    const header = decodeHeader(body, SUITES);
    expect(header.round).toBe(packet.round);
    expect(header.epoch).toBe(packet.epoch);
    const keys = {
      enc: bytes(packet.keys.enc),
      mac: packet.keys.mac === undefined ? null : bytes(packet.keys.mac),
    };
    expect(toHex(openPacket(defaultCrypto(), keys, suite, body))).toBe(packet.plaintext);
    expect(toHex(sealFrame(defaultCrypto(), keys, header, bytes(packet.plaintext), bytes(packet.iv)))).toBe(
      packet.frame,
    );
  });
});

describe("packets.json, padding", () => {
  it.each(vectors.padding)("$id", (v) => {
    expect(paddedLength(parsePadding(v.policy), v.messageLength, v.limit)).toBe(v.plaintextLength);
  });

  it.each(vectors.plaintexts)("$id", (v) => {
    const plaintext = bytes(v.plaintext);
    if (v.error !== undefined) {
      expect(() => unwrap(plaintext)).toThrow(expect.objectContaining({ name: v.error }));
      return;
    }
    const kind = v.kind === 1 ? "message" : "cover";
    const { message, kind: found } = unwrap(plaintext);
    expect({ message: toHex(message), found }).toEqual({ message: v.message, found: kind });
    const length = paddedLength(parsePadding(v.policy ?? ""), message.length, 1 << 20);
    expect(toHex(wrap(message, kind, length))).toBe(v.plaintext);
  });
});
