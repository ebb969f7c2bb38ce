import {
  type ClientId,
  concat,
  copyOf,
  type Epoch,
  encodeHeader,
  type Header,
  LENGTH_BYTES,
  nodeCrypto,
  packetBytes,
  type Suite,
  splitPacket,
  u32,
  utf8,
  writeU32,
} from "@pawl/protocol";

/**
 * What an attacker makes of keys that he has taken: sections 3.1 and 4 of the specification once more, written from its
 * text alone, so that he depends on nothing of his victims.
 */

const BLOCK = 16;

/** What one packet is sealed with. `mac` is null in suite 3. */
export interface PacketKeys {
  readonly enc: Uint8Array;
  readonly mac: Uint8Array | null;
}

/** Keys of a packet, and what becomes of them behind it. */
export interface Keys {
  readonly packet: PacketKeys;
  /** Behind a packet of their direction; null: they were those of one packet alone. */
  after(packet: Uint8Array, message: Uint8Array): Keys | null;
}

/** Section 4.1, of at most 32 bytes. */
export function expand(key: Uint8Array, label: string, context: Uint8Array, length = 32): Uint8Array {
  const block = nodeCrypto.hmacSha256(key, utf8(`pawl/1 ${label}\0`), context, Uint8Array.of(1));
  return copyOf(block, 0, length);
}

function packetKeysOf(suite: Suite, chain: Uint8Array): PacketKeys {
  const none = new Uint8Array();
  const mac = suite.cipher === "gcm" ? null : expand(chain, "mac", none);
  return { enc: expand(chain, "enc", none, suite.encKeyBytes), mac };
}

/** Keys that open what they open, and lead nowhere. */
export function keysOfOnePacket(packet: PacketKeys): Keys {
  return { packet, after: () => null };
}

/** Section 4.3: a chain from here on. */
export function strictChain(suite: Suite, chain: Uint8Array): Keys {
  return {
    packet: packetKeysOf(suite, chain),
    after: (packet) => {
      const { iv, tag } = splitPacket(suite, packet);
      return strictChain(suite, expand(chain, "ratchet", concat(iv, tag)));
    },
  };
}

/** Section 3.1: the keys of one direction from here on. */
export function classicChain(enc: Uint8Array, mac: Uint8Array): Keys {
  return {
    packet: { enc, mac },
    after: (_packet, message) =>
      classicChain(copyOf(nodeCrypto.sha256(enc, message), 0, 16), nodeCrypto.sha256(mac, message)),
  };
}

/** Section 3.1: with what both directions of every session begin. */
export function classicStart(basekey: Uint8Array, clientId: ClientId): Keys {
  const master = nodeCrypto.sha256(basekey, utf8(String(clientId)));
  return classicChain(copyOf(master, 0, 16), master);
}

/** Who a secret belongs to, and which epoch it is of. */
export interface Holder {
  readonly suite: Suite;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
}

function contextOf({ suite, clientId, epoch }: Holder): Uint8Array {
  return concat(Uint8Array.of(suite.id), u32(clientId), u32(epoch));
}

/** `hello_e` or `challenge_e` (4.4). */
export function handshakeKeys(
  secret: Uint8Array,
  holder: Holder,
  label: "c2s hello" | "s2c challenge",
): PacketKeys {
  return packetKeysOf(holder.suite, expand(secret, label, contextOf(holder)));
}

/** `E_{e+1}`. */
export function nextSecret(secret: Uint8Array, holder: Holder): Uint8Array {
  return expand(secret, "next epoch", contextOf(holder));
}

/** The first chains of the session that began with these packets (4.4). */
export function trafficChains(
  secret: Uint8Array,
  holder: Holder,
  hello: Uint8Array,
  challenge: Uint8Array,
): { readonly c2s: Keys; readonly s2c: Keys } {
  const session = expand(secret, "session", contextOf(holder));
  const { sha256 } = nodeCrypto;
  const transcript = sha256(sha256(hello), sha256(challenge));
  const chain = (label: string) => strictChain(holder.suite, expand(session, label, transcript));
  return { c2s: chain("c2s traffic"), s2c: chain("s2c traffic") };
}

/** The plaintext of a packet, or null where the keys are not its own. */
export function openPacket(suite: Suite, { enc, mac }: PacketKeys, packet: Uint8Array): Uint8Array | null {
  const { header, iv, ciphertext, tag } = splitPacket(suite, packet);
  if (mac === null) return nodeCrypto.gcmOpen(enc, iv, header, ciphertext, tag);
  const due = nodeCrypto.hmacSha256(mac, packet.subarray(0, packet.length - suite.tagBytes));
  return nodeCrypto.equal(due, tag) ? nodeCrypto.cbcDecrypt(enc, iv, ciphertext) : null;
}

/** The message in a plaintext: all of it in classic, what stands before the kind and the zeros else. */
export function messageIn(suite: Suite, plaintext: Uint8Array): Uint8Array {
  if (!suite.strict) return plaintext;
  let end = plaintext.length - 1;
  while (end > 0 && plaintext[end] === 0) end--;
  return copyOf(plaintext, 0, Math.max(end, 0));
}

/** The plaintext for a message, without padding. */
export function plaintextFor(suite: Suite, message: Uint8Array): Uint8Array {
  return suite.strict ? concat(message, Uint8Array.of(1)) : message;
}

/** @param unpadded without the block of padding that stands behind whole blocks: the tag is right, the padding is not */
export function sealFrame(
  { enc, mac }: PacketKeys,
  header: Header,
  plaintext: Uint8Array,
  iv: Uint8Array,
  unpadded = false,
): Uint8Array {
  const { suite } = header;
  const length = packetBytes(suite, plaintext.length) - (unpadded ? BLOCK : 0);
  const frame = new Uint8Array(LENGTH_BYTES + length);
  writeU32(frame, length, 0);
  encodeHeader(header, frame, LENGTH_BYTES);
  const packet = frame.subarray(LENGTH_BYTES);
  const parts = splitPacket(suite, packet);
  parts.iv.set(iv.subarray(0, suite.ivBytes));
  if (mac === null) {
    const sealed = nodeCrypto.gcmSeal(enc, parts.iv, parts.header, plaintext);
    parts.ciphertext.set(sealed.ciphertext);
    parts.tag.set(sealed.tag);
  } else {
    parts.ciphertext.set(
      nodeCrypto.cbcEncrypt(enc, parts.iv, plaintext).subarray(0, parts.ciphertext.length),
    );
    parts.tag.set(nodeCrypto.hmacSha256(mac, packet.subarray(0, length - suite.tagBytes)));
  }
  return frame;
}
