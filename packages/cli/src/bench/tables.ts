import { CELLS, columnsOf, figure, RECORD_CELLS, type Result } from "@pawl/bench";

/** What `pawl bench` prints: tables, the first line of each its head, behind what has to be known to read it. */
export interface BenchTable {
  readonly about: string;
  readonly rows: readonly (readonly string[])[];
}

export function tablesOf(results: readonly Result[]): readonly BenchTable[] {
  const overLoopback = results.filter(({ cell }) => CELLS.some(({ name }) => name === cell));
  return [
    {
      about:
        "A packet of so many bytes of message, sealed or opened by a session, without a socket; messages a second in brackets.",
      rows: packetRows(results),
    },
    {
      about:
        "Server and clients in two processes. Medians; in brackets the ratio of each to plain net and to tls-psk-cbc.\n" +
        "More is better, less where the row has ↓. A handshake of Pawl has the server's synced commit in it.",
      rows: columnsOf(overLoopback, CELLS),
    },
  ].filter(({ rows }) => rows.length > 1);
}

function packetRows(results: readonly Result[]): string[][] {
  const names = RECORD_CELLS.map(({ name }) => name);
  const ofPackets = results.filter(({ cell }) => names.includes(cell));
  const targets = [...new Set(ofPackets.map(({ target }) => target))];
  const rows = names
    .filter((name) => ofPackets.some(({ cell }) => cell === name))
    .map((name) => [`${name}, µs ↓`, ...targets.map((target) => packetColumn(ofPackets, name, target))]);
  return [["median (messages/s)", ...targets], ...rows];
}

function packetColumn(results: readonly Result[], name: string, of: string): string {
  const result = results.find(({ cell, target }) => cell === name && target === of);
  return result === undefined ? "" : `${figure(result.median)} (${figure(1_000_000 / result.median)})`;
}
