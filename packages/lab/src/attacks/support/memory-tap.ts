import { type CryptoProvider, copyOf, nodeCrypto, type Suite, utf8 } from "@pawl/protocol";
import { classicChain, type Keys, type PacketKeys, strictChain } from "./schedule.ts";

const PREFIX = utf8("pawl/1 ");
/** Labels under which a chain itself is the key (PROTOCOL.md, 4.1). */
const OF_CHAIN: readonly string[] = ["pawl/1 enc\0", "pawl/1 mac\0", "pawl/1 ratchet\0"];

/**
 * A crypto provider whose keys somebody reads while they are in use: what he gets who looks into a client's memory at
 * one moment. It sees the client's own keys, whatever the client derived them from.
 */
export class MemoryTap {
  readonly crypto: CryptoProvider;
  #enc: Uint8Array[] = [];
  #mac: Uint8Array[] = [];
  #chains: Uint8Array[] = [];

  constructor() {
    this.crypto = {
      ...nodeCrypto,
      name: "tapped",
      hmacSha256: (key, ...parts) => {
        const [first] = parts;
        if (first === undefined || !startsWith(first, PREFIX)) this.#mac.push(copyOf(key));
        else if (OF_CHAIN.includes(new TextDecoder().decode(first))) this.#chains.push(copyOf(key));
        return nodeCrypto.hmacSha256(key, ...parts);
      },
      cbcEncrypt: (key, ...rest) => {
        this.#enc.push(copyOf(key));
        return nodeCrypto.cbcEncrypt(key, ...rest);
      },
      gcmSeal: (key, ...rest) => {
        this.#enc.push(copyOf(key));
        return nodeCrypto.gcmSeal(key, ...rest);
      },
    };
  }

  /** Forgets what was in use until now. */
  clear(): void {
    this.#enc = [];
    this.#mac = [];
    this.#chains = [];
  }

  /** MAC keys since the last `clear`. */
  get macKeys(): readonly Uint8Array[] {
    return this.#mac;
  }

  /** Keys of the packets that were sealed since the last `clear`. */
  get packetKeys(): readonly PacketKeys[] {
    const macs = this.#mac.length === 0 ? [null] : this.#mac;
    return this.#enc.flatMap((enc) => macs.map((mac) => ({ enc, mac })));
  }

  /** What moves on: chains that were in use since the last `clear`; in classic the keys themselves do. */
  chains(suite: Suite): Keys[] {
    if (suite.strict) return this.#chains.map((chain) => strictChain(suite, chain));
    return this.packetKeys.flatMap(({ enc, mac }) => (mac === null ? [] : [classicChain(enc, mac)]));
  }
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, at) => bytes[at] === byte);
}
