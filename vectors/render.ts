/** The layout of the vector files: one case a line, so that a diff names the case. */

type Json = unknown;

/** Lists whose items stand on lines of their own inside a case, too. */
const NESTED_LISTS = new Set(["packets"]);

export function render(file: Record<string, Json>): string {
  const members = Object.entries(file).map(([key, value]) =>
    Array.isArray(value)
      ? `${JSON.stringify(key)}:[\n${value.map((item) => ` ${renderCase(item)}`).join(",\n")}\n]`
      : `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  return `{${members.join(",\n")}}\n`;
}

function renderCase(item: Json): string {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return JSON.stringify(item);
  const members = Object.entries(item).map(([key, value]) => {
    const nested = NESTED_LISTS.has(key) && Array.isArray(value) && typeof value[0] === "object";
    if (!nested) return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    return `${JSON.stringify(key)}:[\n${value.map((inner: Json) => `  ${JSON.stringify(inner)}`).join(",\n")}]`;
  });
  return `{${members.join(",")}}`;
}
