import { createServer } from "node:net";
import { socketPipe } from "./framed.ts";
import { connectTo, listen } from "./listen.ts";
import { connectionOf, echo } from "./pipe.ts";
import { roundsByHand } from "./rounds-by-hand.ts";
import type { Target } from "./target.ts";

/** Plain TCP: what the others are compared with. */
export const net: Target = {
  applications: ["echo", "rounds"],
  serve: ({ application }) => {
    const serve = application === "rounds" ? roundsByHand() : echo;
    return listen(createServer((socket) => serve(socketPipe(socket))));
  },
  dialer: async (port) => async () => connectionOf(socketPipe(await connectTo(port))),
};
