import type { MessagePipe } from "./pipe.ts";

/**
 * Rounds without Pawl: the least that somebody writes who has a socket and wants the product of what all clients sent. It
 * takes integers alone, has no deadline, and trusts every client.
 */
export function roundsByHand(): (pipe: MessagePipe) => void {
  const live = new Set<MessagePipe>();
  const sent = new Map<MessagePipe, bigint>();
  let round = 0;

  const closeIfComplete = () => {
    if (sent.size === 0 || sent.size < live.size) return;
    let product = 1n;
    for (const value of sent.values()) product *= value;
    const tail = `,"aggregate":"${product}","contributors":${sent.size}}`;
    round++;
    for (const [pipe, value] of sent) pipe.send(Buffer.from(`{"round":${round},"value":"${value}"${tail}`));
    sent.clear();
  };

  return (pipe) => {
    live.add(pipe);
    pipe.onMessage((message) => {
      sent.set(pipe, BigInt(Buffer.from(message).toString("latin1")));
      closeIfComplete();
    });
    pipe.onEnd(() => {
      live.delete(pipe);
      sent.delete(pipe);
      closeIfComplete();
    });
  };
}
