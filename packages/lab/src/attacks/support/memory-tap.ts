import { type CryptoProvider, copyOf, nodeCrypto, type Suite } from "@pawl/protocol";
import { classicChain, type Keys, keysOfOnePacket, type PacketKeys, strictChain } from "./schedule.ts";

/** Labels under which a chain itself is the key (PROTOCOL.md, 4.1). */
const OF_CHAIN: readonly string[] = ["pawl/1 enc\0", "pawl/1 mac\0", "pawl/1 ratchet\0"];

/** What was in a client's memory while it sealed or opened one packet. */
export interface TappedPacket {
  readonly keys: PacketKeys;
  /** What the keys were taken from; null in classic, where they move on themselves. */
  readonly chain: Uint8Array | null;
}

/**
 * A crypto provider whose keys somebody reads while they are in use. It shows the keys that the client has, whatever the
 * client took them from.
 */
export class MemoryTap {
  readonly crypto: CryptoProvider;
  /** In the order of the packets, HELLO the first. */
  readonly sealed: TappedPacket[] = [];
  /** In the order of the packets, CHALLENGE the first. */
  readonly opened: TappedPacket[] = [];
  #chain: Uint8Array | null = null;
  #mac: Uint8Array | null = null;
  /** The cipher's key of a packet whose tag is to be made next. */
  #sealing: Uint8Array | null = null;

  constructor() {
    this.crypto = {
      ...nodeCrypto,
      name: "tapped",
      hmacSha256: (key, ...parts) => {
        if (OF_CHAIN.includes(new TextDecoder().decode(parts[0]))) this.#chain = copyOf(key);
        return nodeCrypto.hmacSha256(key, ...parts);
      },
      hmacTag: (key, sealed) => {
        this.#seeMac(copyOf(key));
        return nodeCrypto.hmacTag(key, sealed);
      },
      cbcEncrypt: (key, ...rest) => {
        this.#sealing = copyOf(key);
        return nodeCrypto.cbcEncrypt(key, ...rest);
      },
      cbcDecrypt: (key, ...rest) => {
        this.opened.push(this.#packet(key, this.#mac));
        return nodeCrypto.cbcDecrypt(key, ...rest);
      },
      gcmSeal: (key, ...rest) => {
        this.sealed.push(this.#packet(key, null));
        return nodeCrypto.gcmSeal(key, ...rest);
      },
      gcmOpen: (key, ...rest) => {
        this.opened.push(this.#packet(key, null));
        return nodeCrypto.gcmOpen(key, ...rest);
      },
    };
  }

  #seeMac(key: Uint8Array): void {
    this.#mac = key;
    if (this.#sealing === null) return;
    this.sealed.push(this.#packet(this.#sealing, key));
    this.#sealing = null;
  }

  #packet(enc: Uint8Array, mac: Uint8Array | null): TappedPacket {
    return { keys: { enc: copyOf(enc), mac }, chain: this.#chain };
  }
}

/** The keys of this packet, and those that follow from them. */
export function keysFrom(suite: Suite, { keys, chain }: TappedPacket): Keys {
  if (suite.strict) return chain === null ? keysOfOnePacket(keys) : strictChain(suite, chain);
  return keys.mac === null ? keysOfOnePacket(keys) : classicChain(keys.enc, keys.mac);
}
