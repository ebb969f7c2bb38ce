import { answer } from "@pawl/bench/inside";
import type { ClientsAnswers, ClientsCommand, RoundsSpan, ServerName } from "./commands.ts";
import { Contributor, type RoundSoFar } from "./contributor.ts";
import { connectClient } from "./credentials.ts";

/** All clients, in a process of their own. */

/** How many shake hands at the same time. */
const IN_FLIGHT = 32;

const fleets = new Map<ServerName, readonly Contributor[]>();
/** Of rounds of all, so that each client sends another number each time. */
let turns = 0;

answer(obey);

async function obey(command: ClientsCommand): Promise<ClientsAnswers[ClientsCommand["type"]]> {
  switch (command.type) {
    case "connect":
      fleets.set(command.server, await connectAll(command.port, command.firstId, command.clients));
      return {};
    case "gather":
      await Promise.all(fleetOf(command.server).map((one) => one.untilAllAreThere()));
      return {};
    case "rounds":
      return rounds(fleetOf(command.server), command.ms);
    case "leave":
      await Promise.all(fleetOf(command.server).map((one) => one.leave()));
      fleets.delete(command.server);
      return {};
  }
}

function fleetOf(server: ServerName): readonly Contributor[] {
  const fleet = fleets.get(server);
  if (fleet === undefined) throw new Error(`no client is connected to ${server}`);
  return fleet;
}

async function connectAll(port: number, firstId: number, clients: number): Promise<Contributor[]> {
  const fleet: Contributor[] = [];
  let begun = 0;
  const lane = async () => {
    while (begun < clients) {
      const index = begun++;
      fleet.push(new Contributor(await connectClient(firstId + index, port), index, clients));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return fleet;
}

/** One after the other for so many milliseconds, one at least. */
async function rounds(fleet: readonly Contributor[], ms: number): Promise<RoundsSpan> {
  const roundMs: number[] = [];
  const started = performance.now();
  let now = started;
  do {
    const begun = now;
    const round: RoundSoFar = { number: null };
    turns++;
    await Promise.all(fleet.map((one) => one.contribute(turns, round)));
    now = performance.now();
    roundMs.push(now - begun);
  } while (now - started < ms);
  return { seconds: (now - started) / 1_000, roundMs };
}
