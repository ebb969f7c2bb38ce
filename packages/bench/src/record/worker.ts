import { type CryptoProvider, defaultCrypto, nodeCrypto, suiteByName } from "@pawl/protocol";
import { answer } from "../inside.ts";
import type { Channel } from "./channel.ts";
import type { RecordAnswers, RecordCommand } from "./commands.ts";
import { measure } from "./measure.ts";
import { sessionChannel } from "./sessions.ts";

/** Seals and opens, in a process of its own, which nothing else keeps busy. */

const channels = new Map<string, Channel>();

answer(obey);

async function obey({ provider, suite, bytes, ms }: RecordCommand): Promise<RecordAnswers["packets"]> {
  const channel = channelOf(provider, suite);
  const message = Uint8Array.from({ length: bytes }, (_, at) => at);
  // Nobody pays for what another left behind.
  globalThis.gc?.();
  const until = performance.now() + ms;
  return measure(channel, message, (packets) => packets > 0 && performance.now() >= until);
}

/** The same each time, so that only its first packets are those of sessions that have just begun. */
function channelOf(provider: string, suiteName: string): Channel {
  const key = `${provider} ${suiteName}`;
  const known = channels.get(key);
  if (known !== undefined) return known;
  const suite = suiteByName(suiteName);
  if (suite === undefined) throw new Error(`no suite is called ${suiteName}`);
  const channel = sessionChannel(providerOf(provider), suite);
  channels.set(key, channel);
  return channel;
}

/** @throws Error where it does not load here */
function providerOf(name: string): CryptoProvider {
  const provider = [nodeCrypto, defaultCrypto()].find((one) => one.name === name);
  if (provider === undefined) throw new Error(`the provider ${name} does not load`);
  return provider;
}
