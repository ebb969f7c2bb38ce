import { NO_PADDING } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { clientId, epoch, round } from "../../packages/protocol/dist/bytes.js";
import type { CryptoProvider } from "../../packages/protocol/dist/crypto/provider.js";
import { Chain } from "../../packages/protocol/dist/key-schedule.js";
import { RecordOpener, RecordSealer } from "../../packages/protocol/dist/record.js";
import type { Header } from "../../packages/protocol/dist/wire.js";
import { CLIENT_ID, EPOCH, FIRST_ROUND, type OpenChannel, packetOf } from "./channel.ts";

/** The product's record layer on a provider, as its sessions call it; from the build, as users have it. */
export function productChannel(crypto: CryptoProvider): OpenChannel {
  return (suite, chain) => {
    const sealer = new RecordSealer(crypto, new Chain(crypto, suite, chain.slice()));
    const opener = new RecordOpener(crypto, new Chain(crypto, suite, chain.slice()));
    let tx = FIRST_ROUND;
    let rx = FIRST_ROUND;
    const headerOf = (number: number): Header => ({
      suite,
      opcode: "DATA",
      direction: "c2s",
      clientId: clientId(CLIENT_ID),
      epoch: epoch(EPOCH),
      round: round(number),
    });
    return {
      seal: (message) =>
        sealer.seal(
          headerOf(tx++),
          { message, kind: "message" },
          NO_PADDING,
          message.length,
          systemRandom(suite.ivBytes),
        ),
      carry: packetOf,
      open: (packet) => opener.open(headerOf(rx++), packet).message,
    };
  };
}
