import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Makes the names in a folder durable: what was created, renamed or removed there survives a power cut. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; it keeps names by itself.
  if (process.platform === "win32") return;
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
