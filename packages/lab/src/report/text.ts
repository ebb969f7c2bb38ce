/**
 * What would not be seen, or would turn the text around it (controls, marks of direction, halves of characters), written
 * out: a page that shows what an attacker sent must not be written by him.
 */
export function visible(text: string): string {
  return text.replace(
    /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}]/gu,
    (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Columns of a fixed-width font that a text takes: two for what East Asian fonts and emoji make wide. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text)
    columns += (char.codePointAt(0) ?? 0) >= 0x1100 && !/[\u2000-\u2bff]/.test(char) ? 2 : 1;
  return columns;
}

/** The start of a text that is too long, and an ellipsis. */
export function clip(text: string, columns: number): string {
  const whole = visible(text);
  return columnsOf(whole) <= columns ? whole : `${startOf(whole, columns - 1).trimEnd()}…`;
}

/** Lines of at most so many columns, broken between words where that is possible; the last one clipped. */
export function wrap(text: string, columns: number, maxLines: number): string[] {
  const lines: string[] = [];
  let rest = visible(text.replace(/\s+/g, " ").trim());
  while (columnsOf(rest) > columns && lines.length < maxLines - 1) {
    const start = startOf(rest, columns);
    // A space right behind the start is a place to break at as well.
    const space = rest[start.length] === " " ? start.length : start.lastIndexOf(" ");
    const end = space > 0 ? space : start.length;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  if (rest !== "") lines.push(clip(rest, columns));
  return lines;
}

/** As many whole characters as have room. */
function startOf(text: string, columns: number): string {
  let start = "";
  let left = columns;
  for (const char of text) {
    left -= columnsOf(char);
    if (left < 0) break;
    start += char;
  }
  return start;
}

/** `1,234`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 case`, `2 cases`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `0.4 ms`, `120 ms`, `4.2 s`. */
export function duration(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}
