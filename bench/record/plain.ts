import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { HEADER_BYTES, LENGTH_BYTES, OPCODES, type Suite } from "@pawl/protocol";
import { KIND_MESSAGE } from "../../packages/protocol/dist/padding.js";
import { CLIENT_ID, EPOCH, FIRST_ROUND, type OpenChannel, packetOf } from "./channel.ts";

/**
 * Section 4.3 as one writes it down who has the specification and the manual of node:crypto: what the product is
 * measured against. It shares no code with the product, and overwrites no keys, which makes it the faster.
 */
export const plainChannel: OpenChannel = (suite, chain) => {
  let sending: Buffer = Buffer.from(chain);
  let receiving: Buffer = Buffer.from(chain);
  let round = FIRST_ROUND;
  return {
    seal(message) {
      const iv = randomBytes(suite.ivBytes);
      const plaintext = Buffer.concat([message, Buffer.of(KIND_MESSAGE)]);
      const header = headerOf(suite, round++);
      const { ciphertext, tag } = encrypt(suite, sending, header, iv, plaintext);
      const packet = Buffer.concat([header, iv, ciphertext, tag]);
      sending = expand(sending, "ratchet", Buffer.concat([iv, tag]));
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE(packet.length);
      return Buffer.concat([length, packet]);
    },

    carry: packetOf,

    open(packet) {
      const view = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
      const header = view.subarray(0, HEADER_BYTES);
      const iv = view.subarray(HEADER_BYTES, HEADER_BYTES + suite.ivBytes);
      const ciphertext = view.subarray(HEADER_BYTES + suite.ivBytes, -suite.tagBytes);
      const tag = view.subarray(-suite.tagBytes);
      const plaintext = decrypt(suite, receiving, header, iv, ciphertext, tag);
      let end = plaintext.length - 1;
      while (end >= 0 && plaintext[end] === 0) end--;
      if (plaintext[end] !== KIND_MESSAGE) throw new Error("no message");
      receiving = expand(receiving, "ratchet", Buffer.concat([iv, tag]));
      return plaintext.subarray(0, end);
    },
  };
};

function expand(key: Buffer, label: string, context?: Buffer): Buffer {
  const hmac = createHmac("sha256", key).update(`pawl/1 ${label}\0`);
  if (context !== undefined) hmac.update(context);
  return hmac.update(Buffer.of(1)).digest();
}

function headerOf(suite: Suite, round: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = suite.id;
  header[1] = OPCODES.DATA;
  header.writeUInt32BE(CLIENT_ID, 4);
  header.writeUInt32BE(EPOCH, 8);
  header.writeUInt32BE(round, 12);
  return header;
}

function encrypt(suite: Suite, chain: Buffer, header: Buffer, iv: Buffer, plaintext: Buffer) {
  const enc = expand(chain, "enc").subarray(0, suite.encKeyBytes);
  if (suite.cipher === "gcm") {
    const cipher = createCipheriv("aes-256-gcm", enc, iv).setAAD(header);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return { ciphertext, tag: cipher.getAuthTag() };
  }
  const cipher = createCipheriv("aes-128-cbc", enc, iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const mac = expand(chain, "mac");
  const tag = createHmac("sha256", mac).update(header).update(iv).update(ciphertext).digest();
  return { ciphertext, tag };
}

function decrypt(
  suite: Suite,
  chain: Buffer,
  header: Buffer,
  iv: Buffer,
  ciphertext: Buffer,
  tag: Buffer,
): Buffer {
  const enc = expand(chain, "enc").subarray(0, suite.encKeyBytes);
  if (suite.cipher === "gcm") {
    const decipher = createDecipheriv("aes-256-gcm", enc, iv, { authTagLength: suite.tagBytes });
    decipher.setAAD(header).setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  }
  const mac = expand(chain, "mac");
  const due = createHmac("sha256", mac).update(header).update(iv).update(ciphertext).digest();
  if (!timingSafeEqual(due, tag)) throw new Error("the tag is wrong");
  const decipher = createDecipheriv("aes-128-cbc", enc, iv);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}
