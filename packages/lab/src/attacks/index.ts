import type { Attack } from "../attack.ts";
import { beforeTheCommit } from "./before-the-commit.ts";
import { challengeOfAnotherHello } from "./challenge-of-another-hello.ts";
import { clonedCredential } from "./cloned-credential.ts";
import { crashBetween } from "./crash-between.ts";
import { delayPackets } from "./delay.ts";
import { downgrade } from "./downgrade-suite.ts";
import { dropPackets } from "./drop.ts";
import { dropWhatMoves } from "./drop-what-moves.ts";
import { flood } from "./flood.ts";
import { forgeTerminate } from "./forge-terminate.ts";
import { forgedHello } from "./forged-hello.ts";
import { helloFarAhead } from "./hello-far-ahead.ts";
import { impersonateClient } from "./impersonate-client.ts";
import { impersonateServer } from "./impersonate-server.ts";
import { injectPackets } from "./inject.ts";
import { keysOfOneDirection } from "./keys-of-one-direction.ts";
import { messageLengths } from "./message-lengths.ts";
import { reflectPackets } from "./reflect.ts";
import { reorder } from "./reorder.ts";
import { repeatedMessage } from "./repeated-message.ts";
import { replayAggregate } from "./replay-aggregate.ts";
import { replayChallenge } from "./replay-challenge.ts";
import { replayClientSession } from "./replay-client-session.ts";
import { replayData } from "./replay-data.ts";
import { replayHello } from "./replay-hello.ts";
import { replayServerSession } from "./replay-server-session.ts";
import { revokedClient } from "./revoked-client.ts";
import { rollbackClient } from "./rollback-client.ts";
import { rollbackServer } from "./rollback-server.ts";
import { sameSilence } from "./same-silence.ts";
import { sameTime } from "./same-time.ts";
import { selfie } from "./selfie.ts";
import { spliceClient } from "./splice-client.ts";
import { spliceSession } from "./splice-session.ts";
import { stolenRoundKeys } from "./stolen-round-keys.ts";
import { stolenStores } from "./stolen-stores.ts";
import { tamperBody } from "./tamper-body.ts";
import { tamperHeader } from "./tamper-header.ts";
import { tamperLength } from "./tamper-length.ts";
import { truncate } from "./truncate.ts";
import { unfairClient } from "./unfair-client.ts";

/** The catalogue, in the order in which it is listed and run. A new attack is a file here and a line. */
export const ATTACKS: readonly Attack[] = [
  replayHello,
  replayChallenge,
  replayData,
  replayAggregate,
  replayClientSession,
  replayServerSession,
  challengeOfAnotherHello,
  repeatedMessage,
  keysOfOneDirection,
  tamperHeader,
  tamperBody,
  tamperLength,
  injectPackets,
  dropPackets,
  reorder,
  delayPackets,
  reflectPackets,
  selfie,
  spliceSession,
  spliceClient,
  downgrade,
  impersonateClient,
  impersonateServer,
  revokedClient,
  truncate,
  forgeTerminate,
  sameSilence,
  sameTime,
  stolenRoundKeys,
  stolenStores,
  clonedCredential,
  rollbackClient,
  rollbackServer,
  dropWhatMoves,
  crashBetween,
  forgedHello,
  beforeTheCommit,
  messageLengths,
  unfairClient,
  flood,
  helloFarAhead,
];

export function attackById(id: string): Attack | undefined {
  return ATTACKS.find((attack) => attack.id === id);
}
