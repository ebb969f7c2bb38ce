import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { type ClientId, EpochSecret, nodeCrypto, STRICT, epoch as toEpoch } from "@pawl/protocol";

/** Bytes that must not be found, and what to call them. */
export interface Needle {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** `E_0 … E_last` of a client, derived from the first. */
export function epochSecrets(clientId: ClientId, first: Uint8Array, last: number): Needle[] {
  const needles: Needle[] = [];
  let at = new EpochSecret(nodeCrypto, STRICT, clientId, toEpoch(0), Uint8Array.from(first));
  for (let epoch = 0; epoch <= last; epoch++) {
    needles.push({ name: `E_${epoch} of client ${clientId}`, bytes: at.copy() });
    at = at.next();
  }
  return needles;
}

/** Where any of the needles stands in any file below `folder`: raw, in hex, in base64 and base64url. */
export async function findSecrets(folder: string, needles: readonly Needle[]): Promise<string[]> {
  const written = needles.flatMap(({ name, bytes }) => spellings(bytes).map((bytes) => ({ name, bytes })));
  const found = new Set<string>();
  for (const file of await filesBelow(folder)) {
    const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      // Gone since it was listed.
      if (error.code === "ENOENT") return Buffer.alloc(0);
      throw error;
    });
    for (const { name, bytes } of written)
      if (content.includes(bytes)) found.add(`${name} is in ${relative(folder, file)}`);
  }
  return [...found];
}

function spellings(bytes: Uint8Array): Buffer[] {
  const raw = Buffer.from(bytes);
  const hex = raw.toString("hex");
  const texts = [hex, hex.toUpperCase(), raw.toString("base64url"), raw.toString("base64")];
  return [raw, ...texts.map((text) => Buffer.from(text))];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
