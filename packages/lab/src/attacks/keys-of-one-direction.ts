import { copyOf, samePublicBytes } from "@pawl/protocol";
import type { Attack } from "../attack.ts";
import { keysFrom, MemoryTap } from "./support/memory-tap.ts";
import { type Reading, read } from "./support/reading.ts";
import { keysOfOnePacket } from "./support/schedule.ts";

export const keysOfOneDirection: Attack = {
  id: "keys-of-one-direction",
  claim: "confidentiality",
  title: "The keys of one direction, tried on the other",
  adversary: "Who sees every packet, and has taken the keys under which a client sends, but no others.",
  steps: [
    "A client says HELLO and two messages, and is answered. The attacker sees the keys with which it seals.",
    "He tries those of HELLO on CHALLENGE, and goes on from there.",
    "He tries those of the first message on all that the server said.",
    "He takes MAC keys alone, as somebody has who only checks tags, for keys of the cipher.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness:
    "In classic both directions begin with the same keys, and the cipher's key is the start of the MAC's (PROTOCOL.md, 3.3 c).",
  async *run(stage) {
    const { suite } = stage;
    const victim = await stage.victim();
    const mitm = await stage.mitm();
    const tap = new MemoryTap();
    const session = await victim.connect(mitm, { crypto: tap.crypto });
    await victim.say(session);
    await victim.say(session);
    const { recording } = mitm;
    const said = recording.frames({ direction: "c2s" });
    const answers = recording.frames({ direction: "s2c" });
    const [hello, first] = tap.sealed;
    if (hello === undefined || first === undefined) throw new Error("the client was not seen to seal");
    const result = (name: string, did: string, { opened, of }: Reading, whose: string) => ({
      name,
      did,
      happened: `${opened} of ${whose} ${of} packets opened`,
      worked: opened > 0,
      refusedBy: null,
      due: null,
      figures: { opened, of },
      recording,
    });

    const fromHello = read(answers, [keysFrom(suite, hello)]);
    yield result(
      "from HELLO on",
      "tried the keys of the client's HELLO, and what follows from them, on the server's packets",
      fromHello,
      "the server's",
    );
    yield {
      ...result(
        "from the first message on",
        "tried the keys of the client's first DATA, and what follows from them, on the server's packets",
        read(answers, [keysFrom(suite, first)]),
        "the server's",
      ),
      // By then the nonces have led the directions apart, in classic too.
      expected: "fails",
    };
    if (suite.cipher === "gcm") return;
    const macs = tap.sealed.flatMap(({ keys }) => (keys.mac === null ? [] : [keys.mac]));
    const guessed = macs.map((mac) => keysOfOnePacket({ enc: copyOf(mac, 0, suite.encKeyBytes), mac }));
    const reading = read(said, guessed);
    const { messages } = read(
      said,
      tap.sealed.map(({ keys }) => keysOfOnePacket(keys)),
    );
    // Under a wrong key the padding comes out right once in 256 times: what counts is the message that is in the packet.
    const right = [...messages].filter(([frame, message]) => {
      const guess = reading.messages.get(frame) ?? null;
      return message !== null && guess !== null && samePublicBytes(message, guess);
    });
    yield result(
      "from MAC keys to the cipher's",
      "decrypted the client's packets with the first 16 bytes of their MAC keys",
      { ...reading, opened: right.length },
      "the client's",
    );
  },
};
