import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Change, Mutant } from "./mutant.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PACKAGES = ["protocol", "client", "server", "lab"] as const;

/** The text that a mutant changes is not there (any more), or not there alone. */
export class StaleMutantError extends Error {
  constructor(id: string, { file, find }: Change, times: number) {
    super(
      `mutant ${id} is stale: in ${file} its text stands ${times} times, not once: ${JSON.stringify(find)}`,
    );
    this.name = "StaleMutantError";
  }
}

/** A copy of the built packages, with one mutant in it. */
export interface Build {
  readonly folder: string;
  /** In that folder: from there it imports itself, and nothing of the checkout but what others have made. */
  readonly modules: string;
  remove(): Promise<void>;
}

/**
 * Copies what `tsc --build` has made and changes it there; the checkout stays as it is.
 * @param mutant null: a copy without a mistake
 * @throws StaleMutantError
 */
export async function buildOf(mutant: Mutant | null): Promise<Build> {
  const changed = mutant === null ? new Map<string, string>() : await changedFiles(mutant);
  const folder = await mkdtemp(join(tmpdir(), `pawl-mutant-${mutant?.id ?? "none"}-`));
  const modules = join(folder, "node_modules");
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const dependencies = new Set<string>();
    for (const name of PACKAGES) {
      const [from, to] = [join(root, "packages", name), join(modules, "@pawl", name)];
      await cp(join(from, "dist"), join(to, "dist"), { recursive: true, filter: isRun });
      const manifest = await readFile(join(from, "package.json"), "utf8");
      await writeFile(join(to, "package.json"), manifest);
      for (const dependency of dependenciesOf(manifest)) dependencies.add(dependency);
    }
    for (const [file, text] of changed) await writeFile(join(modules, "@pawl", placeOf(file)), text);
    for (const dependency of dependencies) await linkDependency(modules, dependency);
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, modules, remove };
}

/** One line for each mutant whose text is not there: all that a change of the code has made stale. */
export async function staleAmong(mutants: readonly Mutant[]): Promise<string[]> {
  const tried = await Promise.allSettled(mutants.map(changedFiles));
  return tried.flatMap((one) => (one.status === "rejected" ? [String(one.reason.message)] : []));
}

/** By `Change.file`: the text with all changes of the mutant. @throws StaleMutantError */
async function changedFiles({ id, changes }: Mutant): Promise<Map<string, string>> {
  const changed = new Map<string, string>();
  for (const change of changes) {
    const { file, find, replace } = change;
    const text = changed.get(file) ?? (await readFile(join(root, "packages", placeOf(file)), "utf8"));
    const [before, after, ...more] = text.split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new StaleMutantError(id, change, text.split(find).length - 1);
    }
    changed.set(file, before + replace + after);
  }
  return changed;
}

/** `protocol/record.js` → `protocol/dist/record.js`. */
function placeOf(file: string): string {
  const slash = file.indexOf("/");
  return join(file.slice(0, slash), "dist", file.slice(slash + 1));
}

/** Folders, and what Node.js runs. */
function isRun(path: string): boolean {
  return !/\.(map|d\.ts|tsbuildinfo)$/.test(path);
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function dependenciesOf(manifest: string): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(manifest) as Manifest;
  const all = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return all.filter((name) => !name.startsWith("@pawl/"));
}

async function linkDependency(modules: string, name: string): Promise<void> {
  const link = join(modules, name);
  await mkdir(dirname(link), { recursive: true });
  // An optional one that is not installed is a link to nothing, and is not found in the copy either.
  await symlink(join(root, "node_modules", name), link, "dir");
}
