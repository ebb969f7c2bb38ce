import { readFileSync, writeFileSync } from "node:fs";

/** A document of which some parts are made from the code, each between `<!-- NAME:start -->` and `<!-- NAME:end -->`. */
export interface GeneratedDocument {
  readonly file: URL;
  readonly parts: Readonly<Record<string, () => string>>;
}

/** What stands in the file, and what has to: a test compares, so that no document can fall behind the code. */
export function readDocument({ file, parts }: GeneratedDocument): { is: string; shouldBe: string } {
  const is = readFileSync(file, "utf8");
  let shouldBe = is;
  for (const [part, make] of Object.entries(parts)) {
    const [start, end] = [`<!-- ${part}:start -->`, `<!-- ${part}:end -->`];
    const [from, to] = [shouldBe.indexOf(start), shouldBe.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${file.pathname} has no markers ${start} … ${end}`);
    shouldBe = `${shouldBe.slice(0, from + start.length)}\n\n${make()}\n\n${shouldBe.slice(to)}`;
  }
  return { is, shouldBe };
}

export function writeDocument(document: GeneratedDocument): void {
  writeFileSync(document.file, readDocument(document).shouldBe);
}
