import { type BytePart, compareFrames, foldParts, windowOf } from "./bytes.ts";
import { type Html, html } from "./html.ts";
import type { PacketRow } from "./rows.ts";
import { plural } from "./text.ts";

/** A frame that was altered, part by part: what came, and below it what went on, where that differs. */
export function byteStrip({ frame, change }: PacketRow): Html | null {
  if (change === null) return null;
  const parts = compareFrames(change.before, change.after);
  const altered = parts.reduce((sum, { changed }) => sum + changed.length, 0);
  const boxes = foldParts(parts).map((part) =>
    "parts" in part
      ? html`<li class="folded"><span class="name">${part.first} … ${part.last}</span><code>${plural(part.bytes, "byte")}, unchanged</code></li>`
      : box(part),
  );
  return html`<figure class="bytes"><figcaption>Frame ${frame} byte by byte: ${plural(altered, "byte")} of ${change.before.length} ${altered === 1 ? "is" : "are"} not as sent. <del>struck out</del> as it came, <ins>framed</ins> as it went on.</figcaption><ol>${boxes}</ol></figure>`;
}

function box(part: BytePart): Html {
  const shown = windowOf(part);
  const altered = part.changed.length > 0;
  return html`<li class="${altered ? "changed" : "same"}"><span class="name">${part.name}</span><code>${hexOf(part.before, part, shown, "del")}</code>${
    altered && html`<code>${hexOf(part.after, part, shown, "ins")}</code>`
  }</li>`;
}

function hexOf(
  bytes: Uint8Array,
  { changed }: BytePart,
  shown: readonly (number | null)[],
  mark: "del" | "ins",
): Html[] {
  const differs = new Set(changed);
  return shown.map((index, place) => {
    const gap = place > 0 && " ";
    if (index === null) return html`${gap}…`;
    const byte = bytes[index];
    // One frame may be shorter than the other.
    const hex = byte === undefined ? "··" : byte.toString(16).padStart(2, "0");
    if (!differs.has(index)) return html`${gap}${hex}`;
    return mark === "del" ? html`${gap}<del>${hex}</del>` : html`${gap}<ins>${hex}</ins>`;
  });
}
